//! Which tables do chats that are shared inside the house need?

/// Snapshots of conversations, and who may read them.
pub(super) const SHARES: &str = "
    CREATE TABLE shares (
        -- UUIDv7
        id TEXT PRIMARY KEY,
        person TEXT NOT NULL REFERENCES people (id) ON DELETE CASCADE,
        -- In the person's log.
        conversation TEXT NOT NULL,
        title TEXT NOT NULL,
        -- JSON, as `shared/src/share.rs` has it.
        snapshot TEXT NOT NULL,
        n_messages INTEGER NOT NULL,
        size_bytes INTEGER NOT NULL,
        created_s INTEGER NOT NULL,
        -- Of the snapshot.
        changed_s INTEGER NOT NULL,
        UNIQUE (person, conversation)
    ) STRICT;
    -- 'everyone': whoever is signed in. One that has none is read by its owner alone.
    CREATE TABLE share_groups (
        share TEXT NOT NULL REFERENCES shares (id) ON DELETE CASCADE,
        group_name TEXT NOT NULL,
        PRIMARY KEY (share, group_name)
    ) STRICT, WITHOUT ROWID;";
