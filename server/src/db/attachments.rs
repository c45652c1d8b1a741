//! Which tables do files need that go with messages?

/// Whose they are, which conversations they go with, and those that are on their way.
pub(super) const ATTACHMENTS: &str = "
    CREATE TABLE attachments (
        person TEXT NOT NULL REFERENCES people (id) ON DELETE CASCADE,
        sha256 TEXT NOT NULL,
        size_bytes INTEGER NOT NULL,
        -- By what its bytes begin with, not by what anybody says.
        media_type TEXT NOT NULL,
        created_s INTEGER NOT NULL,
        PRIMARY KEY (person, sha256)
    ) STRICT, WITHOUT ROWID;
    CREATE INDEX attachments_sha256 ON attachments (sha256);
    CREATE TRIGGER attachment_file_gone AFTER DELETE ON attachments BEGIN
        INSERT OR IGNORE INTO file_removals VALUES (OLD.sha256);
    END;
    -- As devices say it: what a conversation holds may be encrypted.
    CREATE TABLE attachment_uses (
        person TEXT NOT NULL REFERENCES people (id) ON DELETE CASCADE,
        sha256 TEXT NOT NULL,
        -- UUID, as text
        conversation TEXT NOT NULL,
        -- Since when the conversation is not there, or deleted; null: it is there.
        idle_since_s INTEGER,
        PRIMARY KEY (person, sha256, conversation)
    ) STRICT, WITHOUT ROWID;
    CREATE TABLE attachment_uploads (
        -- UUIDv7: the folder that its chunks lie in.
        id TEXT PRIMARY KEY,
        person TEXT NOT NULL REFERENCES people (id) ON DELETE CASCADE,
        sha256 TEXT NOT NULL,
        size_bytes INTEGER NOT NULL,
        -- When something of it came last.
        touched_s INTEGER NOT NULL,
        UNIQUE (person, sha256)
    ) STRICT;";

/// Of encrypted conversations: by what a device finds a file whose digest only the sender knows, and what the
/// devices say of deletions, which the server cannot read.
pub(super) const SEALED_ATTACHMENTS: &str = "
    -- Of devices' making, 32 bytes in hex; null: the file is not encrypted.
    ALTER TABLE attachment_uses ADD COLUMN name TEXT;
    -- Since when a device says that the conversation is deleted; null: none does.
    ALTER TABLE attachment_uses ADD COLUMN released_s INTEGER;
    CREATE INDEX attachment_uses_name ON attachment_uses (person, name) WHERE name IS NOT NULL;";
