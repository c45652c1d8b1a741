//! Which tables do announcements and prompts need?

/// What is announced to whom, and prompts of people, groups and the house.
pub(super) const HOUSE: &str = "
    CREATE TABLE announcements (
        -- UUIDv7
        id TEXT PRIMARY KEY,
        title TEXT NOT NULL,
        -- Markdown
        text TEXT NOT NULL,
        from_s INTEGER,
        until_s INTEGER,
        created_s INTEGER NOT NULL,
        changed_s INTEGER NOT NULL
    ) STRICT;
    -- One that has none is shown to nobody.
    CREATE TABLE announcement_groups (
        announcement TEXT NOT NULL REFERENCES announcements (id) ON DELETE CASCADE,
        group_name TEXT NOT NULL,
        PRIMARY KEY (announcement, group_name)
    ) STRICT, WITHOUT ROWID;
    CREATE TABLE prompts (
        -- UUIDv7
        id TEXT PRIMARY KEY,
        -- Whose own it is; null: a group's, or the house's.
        person TEXT REFERENCES people (id) ON DELETE CASCADE,
        -- Who wrote it; null: somebody who is gone.
        author TEXT REFERENCES people (id) ON DELETE SET NULL,
        -- 'everyone': the house's.
        group_name TEXT,
        title TEXT NOT NULL,
        description TEXT NOT NULL,
        text TEXT NOT NULL,
        created_s INTEGER NOT NULL,
        changed_s INTEGER NOT NULL,
        CHECK ((person IS NULL) <> (group_name IS NULL))
    ) STRICT;
    CREATE INDEX prompts_person ON prompts (person);
    CREATE INDEX prompts_author ON prompts (author);
    CREATE INDEX prompts_group ON prompts (group_name);";
