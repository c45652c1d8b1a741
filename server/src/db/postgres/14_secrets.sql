CREATE TABLE secret_keys (
    -- Of its SHA-256: no digit of the key.
    id BIGINT PRIMARY KEY,
    since_s BIGINT NOT NULL
);
