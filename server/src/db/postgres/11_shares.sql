CREATE TABLE shares (
    -- UUIDv7
    id TEXT COLLATE "C" PRIMARY KEY,
    person TEXT COLLATE "C" NOT NULL REFERENCES people (id) ON DELETE CASCADE,
    -- In the person's log.
    conversation TEXT COLLATE "C" NOT NULL,
    title TEXT COLLATE "C" NOT NULL,
    -- JSON, as `shared/src/share.rs` has it.
    snapshot TEXT COLLATE "C" NOT NULL,
    n_messages BIGINT NOT NULL,
    size_bytes BIGINT NOT NULL,
    created_s BIGINT NOT NULL,
    -- Of the snapshot.
    changed_s BIGINT NOT NULL,
    UNIQUE (person, conversation)
);
-- 'everyone': whoever is signed in. One that has none is read by its owner alone.
CREATE TABLE share_groups (
    share TEXT COLLATE "C" NOT NULL REFERENCES shares (id) ON DELETE CASCADE,
    group_name TEXT COLLATE "C" NOT NULL,
    PRIMARY KEY (share, group_name)
);
