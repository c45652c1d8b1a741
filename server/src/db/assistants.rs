//! Which tables do assistants need?

pub(super) const ASSISTANTS: &str = "
    CREATE TABLE assistants (
        -- UUIDv7
        id TEXT PRIMARY KEY,
        -- Who made it; null: somebody who is gone, and shared it.
        person TEXT REFERENCES people (id) ON DELETE SET NULL,
        -- From 1; who changes it names the one that they read.
        revision INTEGER NOT NULL,
        created_s INTEGER NOT NULL,
        changed_s INTEGER NOT NULL,
        -- 1: for all who sign in.
        for_house INTEGER NOT NULL DEFAULT 0,
        -- JSON, see shared/src/assistant.rs.
        definition TEXT NOT NULL
    ) STRICT;
    CREATE INDEX assistants_person ON assistants (person) WHERE person IS NOT NULL;
    CREATE TABLE assistant_groups (
        assistant TEXT NOT NULL REFERENCES assistants (id) ON DELETE CASCADE,
        group_name TEXT NOT NULL REFERENCES groups (name) ON DELETE CASCADE ON UPDATE CASCADE,
        PRIMARY KEY (assistant, group_name)
    ) STRICT, WITHOUT ROWID;
    CREATE INDEX assistant_groups_group ON assistant_groups (group_name);";
