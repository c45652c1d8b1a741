CREATE TABLE sync_logs (
    id BIGINT GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    person TEXT COLLATE "C" NOT NULL UNIQUE REFERENCES people (id) ON DELETE CASCADE,
    -- UUID: a cursor means something only within it.
    epoch BYTEA NOT NULL,
    -- Of its last operation.
    last_seq BIGINT NOT NULL DEFAULT 0,
    -- Of its operations, packed.
    n_bytes BIGINT NOT NULL DEFAULT 0
);
CREATE TABLE sync_ops (
    log BIGINT NOT NULL REFERENCES sync_logs (id) ON DELETE CASCADE,
    -- In the order of arrival, from 1; drafts that were superseded leave gaps.
    seq BIGINT NOT NULL,
    op BYTEA NOT NULL,
    -- Null while it is not known which one the message belongs to.
    conversation BYTEA,
    message BYTEA,
    at_ms BIGINT NOT NULL,
    at_n BIGINT NOT NULL,
    -- Of one that writes a message's text: 0 a draft, 1 how it ended.
    written BIGINT,
    -- The operation's JSON as it came, see sync/packed.rs.
    packed BYTEA NOT NULL
);
CREATE UNIQUE INDEX sync_ops_seq ON sync_ops (log, seq);
CREATE UNIQUE INDEX sync_ops_op ON sync_ops (log, op);
CREATE INDEX sync_ops_conversation ON sync_ops (log, conversation, seq);
CREATE INDEX sync_ops_message ON sync_ops (log, message) WHERE message IS NOT NULL;
CREATE TABLE sync_heads (
    log BIGINT NOT NULL REFERENCES sync_logs (id) ON DELETE CASCADE,
    conversation BYTEA NOT NULL,
    -- JSON
    head TEXT COLLATE "C" NOT NULL,
    PRIMARY KEY (log, conversation)
);
-- Conversations that were here and now stay on a device.
CREATE TABLE sync_withdrawn (
    log BIGINT NOT NULL REFERENCES sync_logs (id) ON DELETE CASCADE,
    conversation BYTEA NOT NULL,
    PRIMARY KEY (log, conversation)
);
