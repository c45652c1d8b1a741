-- JSON, which only the person's devices understand; null: the log is plain.
ALTER TABLE sync_logs ADD COLUMN keyring TEXT COLLATE "C";
ALTER TABLE sync_logs ADD COLUMN keyring_revision BIGINT NOT NULL DEFAULT 0;
-- A process that begins to write to a log leaves one at the first operation that it writes.
CREATE TABLE sync_marks (
    log BIGINT NOT NULL REFERENCES sync_logs (id) ON DELETE CASCADE,
    seq BIGINT NOT NULL,
    -- UUID
    mark BYTEA NOT NULL,
    PRIMARY KEY (log, seq)
);
