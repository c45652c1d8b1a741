//! Which tables do people need?

/// People with what they sign in by, groups, rules, and what was done.
pub(super) const PEOPLE: &str = "
    CREATE TABLE people (
        -- UUIDv7
        id TEXT PRIMARY KEY,
        -- By which somebody signs in: lower case.
        name TEXT NOT NULL UNIQUE,
        display_name TEXT NOT NULL,
        email TEXT,
        -- admin, member, guest
        role TEXT NOT NULL,
        -- Argon2id, as a PHC string; null where somebody signs in elsewhere or not yet.
        password TEXT,
        created_s INTEGER NOT NULL,
        blocked_s INTEGER,
        -- Who a sign-in service says it is.
        issuer TEXT,
        subject TEXT,
        -- Of the authenticator app; wanted only once a first code was right.
        totp_secret BLOB,
        totp_since_s INTEGER,
        -- The last step of time whose code was used: none is used twice.
        totp_step INTEGER NOT NULL DEFAULT 0,
        UNIQUE (issuer, subject)
    ) STRICT;
    CREATE TABLE recovery_codes (
        -- SHA-256
        hash BLOB NOT NULL,
        person TEXT NOT NULL REFERENCES people (id) ON DELETE CASCADE,
        PRIMARY KEY (person, hash)
    ) STRICT, WITHOUT ROWID;
    CREATE TABLE groups (
        name TEXT PRIMARY KEY,
        created_s INTEGER NOT NULL,
        -- JSON: what differs from the house's rules.
        policy TEXT NOT NULL DEFAULT '{}'
    ) STRICT;
    CREATE TABLE memberships (
        person TEXT NOT NULL REFERENCES people (id) ON DELETE CASCADE,
        group_name TEXT NOT NULL REFERENCES groups (name) ON DELETE CASCADE ON UPDATE CASCADE,
        -- house, or oidc: those a sign-in service takes away again.
        source TEXT NOT NULL DEFAULT 'house',
        PRIMARY KEY (person, group_name)
    ) STRICT, WITHOUT ROWID;
    CREATE TABLE sessions (
        -- SHA-256 of the cookie.
        hash BLOB PRIMARY KEY,
        -- By which its person names it: UUIDv7.
        id TEXT NOT NULL UNIQUE,
        person TEXT NOT NULL REFERENCES people (id) ON DELETE CASCADE,
        created_s INTEGER NOT NULL,
        seen_s INTEGER NOT NULL,
        expires_s INTEGER NOT NULL,
        -- As the browser calls itself, cut to 200 characters.
        agent TEXT NOT NULL,
        -- The sign-in service's session, and the token that ends it there.
        oidc_sid TEXT,
        id_token TEXT
    ) STRICT;
    CREATE INDEX sessions_person ON sessions (person);
    CREATE INDEX sessions_oidc_sid ON sessions (oidc_sid) WHERE oidc_sid IS NOT NULL;
    -- What can be opened once: an invitation, a new password, the first admin.
    CREATE TABLE links (
        -- SHA-256 of the link's secret.
        hash BLOB PRIMARY KEY,
        -- By which it is listed and taken back: UUIDv7.
        id TEXT NOT NULL UNIQUE,
        -- invite, reset, admin
        kind TEXT NOT NULL,
        -- Whose password it sets.
        person TEXT REFERENCES people (id) ON DELETE CASCADE,
        role TEXT NOT NULL DEFAULT 'member',
        -- JSON list of group names.
        groups TEXT NOT NULL DEFAULT '[]',
        -- For whom it is, in the inviter's words.
        note TEXT NOT NULL DEFAULT '',
        made_by TEXT NOT NULL,
        created_s INTEGER NOT NULL,
        expires_s INTEGER NOT NULL
    ) STRICT;
    -- The house's own rules: JSON by name.
    CREATE TABLE house (
        name TEXT PRIMARY KEY,
        value TEXT NOT NULL
    ) STRICT, WITHOUT ROWID;
    CREATE TABLE audit (
        id INTEGER PRIMARY KEY AUTOINCREMENT,
        at_s INTEGER NOT NULL,
        -- A person's id, a key's, `page`, `operator`; a pseudonym once the person is gone.
        who TEXT NOT NULL,
        -- The key by which a person asked.
        key TEXT,
        -- chat, embeddings, sign_in, person_invited, ...
        action TEXT NOT NULL,
        -- On what: a person's id, a group, a route. Never what was said.
        object TEXT NOT NULL DEFAULT '',
        model TEXT,
        -- server, upstream, device
        place TEXT,
        prompt_tokens INTEGER,
        completion_tokens INTEGER,
        -- ok, or an error's code
        outcome TEXT NOT NULL DEFAULT 'ok'
    ) STRICT;
    CREATE INDEX audit_at ON audit (at_s);
    CREATE INDEX audit_who ON audit (who);
    -- Whose key it is; none: the house's own.
    ALTER TABLE api_keys ADD COLUMN person TEXT REFERENCES people (id) ON DELETE CASCADE;
    -- One name for each owner.
    DROP INDEX api_keys_name;
    CREATE UNIQUE INDEX api_keys_name ON api_keys (name, coalesce(person, ''))
        WHERE revoked_s IS NULL;
    -- JSON list; null allows all.
    ALTER TABLE api_keys ADD COLUMN scopes TEXT;
    ALTER TABLE api_keys ADD COLUMN last_used_s INTEGER;
    CREATE INDEX api_keys_person ON api_keys (person) WHERE person IS NOT NULL;
    -- Who put a document here: its bytes count against that person's storage.
    CREATE TABLE document_people (
        document TEXT PRIMARY KEY REFERENCES documents (id) ON DELETE CASCADE,
        person TEXT NOT NULL REFERENCES people (id) ON DELETE CASCADE
    ) STRICT, WITHOUT ROWID;
    CREATE INDEX document_people_person ON document_people (person);";
