CREATE TABLE announcements (
    -- UUIDv7
    id TEXT COLLATE "C" PRIMARY KEY,
    title TEXT COLLATE "C" NOT NULL,
    -- Markdown
    text TEXT COLLATE "C" NOT NULL,
    from_s BIGINT,
    until_s BIGINT,
    created_s BIGINT NOT NULL,
    changed_s BIGINT NOT NULL
);
-- One that has none is shown to nobody.
CREATE TABLE announcement_groups (
    announcement TEXT COLLATE "C" NOT NULL REFERENCES announcements (id) ON DELETE CASCADE,
    group_name TEXT COLLATE "C" NOT NULL,
    PRIMARY KEY (announcement, group_name)
);
CREATE TABLE prompts (
    -- UUIDv7
    id TEXT COLLATE "C" PRIMARY KEY,
    -- Whose own it is; null: a group's, or the house's.
    person TEXT COLLATE "C" REFERENCES people (id) ON DELETE CASCADE,
    -- Who wrote it; null: somebody who is gone.
    author TEXT COLLATE "C" REFERENCES people (id) ON DELETE SET NULL,
    -- 'everyone': the house's.
    group_name TEXT COLLATE "C",
    title TEXT COLLATE "C" NOT NULL,
    description TEXT COLLATE "C" NOT NULL,
    text TEXT COLLATE "C" NOT NULL,
    created_s BIGINT NOT NULL,
    changed_s BIGINT NOT NULL,
    CHECK ((person IS NULL) <> (group_name IS NULL))
);
CREATE INDEX prompts_person ON prompts (person);
CREATE INDEX prompts_author ON prompts (author);
CREATE INDEX prompts_group ON prompts (group_name);
