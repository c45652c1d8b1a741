//! Which table do sealed secrets need?

/// The keys that have sealed something: where there is one, a house whose key is away gets no new one unasked.
pub(super) const SECRETS: &str = "
    CREATE TABLE secret_keys (
        -- Of its SHA-256: no digit of the key.
        id INTEGER PRIMARY KEY,
        since_s INTEGER NOT NULL
    ) STRICT;";
