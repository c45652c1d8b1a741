CREATE TABLE assistants (
    -- UUIDv7
    id TEXT COLLATE "C" PRIMARY KEY,
    -- Who made it; null: somebody who is gone, and shared it.
    person TEXT COLLATE "C" REFERENCES people (id) ON DELETE SET NULL,
    -- From 1; who changes it names the one that they read.
    revision BIGINT NOT NULL,
    created_s BIGINT NOT NULL,
    changed_s BIGINT NOT NULL,
    -- 1: for all who sign in.
    for_house BIGINT NOT NULL DEFAULT 0,
    -- JSON, see shared/src/assistant.rs.
    definition TEXT COLLATE "C" NOT NULL
);
CREATE INDEX assistants_person ON assistants (person) WHERE person IS NOT NULL;
CREATE TABLE assistant_groups (
    assistant TEXT COLLATE "C" NOT NULL REFERENCES assistants (id) ON DELETE CASCADE,
    group_name TEXT COLLATE "C" NOT NULL REFERENCES groups (name) ON DELETE CASCADE ON UPDATE CASCADE,
    PRIMARY KEY (assistant, group_name)
);
CREATE INDEX assistant_groups_group ON assistant_groups (group_name);
