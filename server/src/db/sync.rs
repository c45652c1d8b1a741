//! Which tables does the log of people's conversations need?

/// Logs, their operations, and what is known of each conversation without its messages.
pub(super) const SYNC: &str = "
    CREATE TABLE sync_logs (
        id INTEGER PRIMARY KEY,
        person TEXT NOT NULL UNIQUE REFERENCES people (id) ON DELETE CASCADE,
        -- UUID: a cursor means something only within it.
        epoch BLOB NOT NULL,
        -- Of its last operation.
        last_seq INTEGER NOT NULL DEFAULT 0,
        -- Of its operations, packed.
        n_bytes INTEGER NOT NULL DEFAULT 0
    ) STRICT;
    CREATE TABLE sync_ops (
        log INTEGER NOT NULL REFERENCES sync_logs (id) ON DELETE CASCADE,
        -- In the order of arrival, from 1; drafts that were superseded leave gaps.
        seq INTEGER NOT NULL,
        op BLOB NOT NULL,
        -- Null while it is not known which one the message belongs to.
        conversation BLOB,
        message BLOB,
        at_ms INTEGER NOT NULL,
        at_n INTEGER NOT NULL,
        -- Of one that writes a message's text: 0 a draft, 1 how it ended.
        written INTEGER,
        -- The operation's JSON as it came, see sync/packed.rs.
        packed BLOB NOT NULL
    ) STRICT;
    CREATE UNIQUE INDEX sync_ops_seq ON sync_ops (log, seq);
    CREATE UNIQUE INDEX sync_ops_op ON sync_ops (log, op);
    CREATE INDEX sync_ops_conversation ON sync_ops (log, conversation, seq);
    CREATE INDEX sync_ops_message ON sync_ops (log, message) WHERE message IS NOT NULL;
    CREATE TABLE sync_heads (
        log INTEGER NOT NULL REFERENCES sync_logs (id) ON DELETE CASCADE,
        conversation BLOB NOT NULL,
        -- JSON
        head TEXT NOT NULL,
        PRIMARY KEY (log, conversation)
    ) STRICT, WITHOUT ROWID;
    -- Conversations that were here and now stay on a device.
    CREATE TABLE sync_withdrawn (
        log INTEGER NOT NULL REFERENCES sync_logs (id) ON DELETE CASCADE,
        conversation BLOB NOT NULL,
        PRIMARY KEY (log, conversation)
    ) STRICT, WITHOUT ROWID;";

/// Keyrings of sealed logs, and marks that tell a log that was restored from the one that it was.
pub(super) const SEALING: &str = "
    -- JSON, which only the person's devices understand; null: the log is plain.
    ALTER TABLE sync_logs ADD COLUMN keyring TEXT;
    ALTER TABLE sync_logs ADD COLUMN keyring_revision INTEGER NOT NULL DEFAULT 0;
    -- A process that begins to write to a log leaves one at the first operation that it writes.
    CREATE TABLE sync_marks (
        log INTEGER NOT NULL REFERENCES sync_logs (id) ON DELETE CASCADE,
        seq INTEGER NOT NULL,
        -- UUID
        mark BLOB NOT NULL,
        PRIMARY KEY (log, seq)
    ) STRICT, WITHOUT ROWID;";
