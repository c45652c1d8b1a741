CREATE TABLE people (
    -- UUIDv7
    id TEXT COLLATE "C" PRIMARY KEY,
    -- By which somebody signs in: lower case.
    name TEXT COLLATE "C" NOT NULL UNIQUE,
    display_name TEXT COLLATE "C" NOT NULL,
    email TEXT COLLATE "C",
    -- admin, member, guest
    role TEXT COLLATE "C" NOT NULL,
    -- Argon2id, as a PHC string; null where somebody signs in elsewhere or not yet.
    password TEXT COLLATE "C",
    created_s BIGINT NOT NULL,
    blocked_s BIGINT,
    -- Who a sign-in service says it is.
    issuer TEXT COLLATE "C",
    subject TEXT COLLATE "C",
    -- Of the authenticator app; wanted only once a first code was right.
    totp_secret BYTEA,
    totp_since_s BIGINT,
    -- The last step of time whose code was used: none is used twice.
    totp_step BIGINT NOT NULL DEFAULT 0,
    UNIQUE (issuer, subject)
);
CREATE TABLE recovery_codes (
    -- SHA-256
    hash BYTEA NOT NULL,
    person TEXT COLLATE "C" NOT NULL REFERENCES people (id) ON DELETE CASCADE,
    PRIMARY KEY (person, hash)
);
CREATE TABLE groups (
    name TEXT COLLATE "C" PRIMARY KEY,
    created_s BIGINT NOT NULL,
    -- JSON: what differs from the house's rules.
    policy TEXT COLLATE "C" NOT NULL DEFAULT '{}'
);
CREATE TABLE memberships (
    person TEXT COLLATE "C" NOT NULL REFERENCES people (id) ON DELETE CASCADE,
    group_name TEXT COLLATE "C" NOT NULL REFERENCES groups (name) ON DELETE CASCADE ON UPDATE CASCADE,
    -- house, or oidc: those a sign-in service takes away again.
    source TEXT COLLATE "C" NOT NULL DEFAULT 'house',
    PRIMARY KEY (person, group_name)
);
CREATE TABLE sessions (
    -- SHA-256 of the cookie.
    hash BYTEA PRIMARY KEY,
    -- By which its person names it: UUIDv7.
    id TEXT COLLATE "C" NOT NULL UNIQUE,
    person TEXT COLLATE "C" NOT NULL REFERENCES people (id) ON DELETE CASCADE,
    created_s BIGINT NOT NULL,
    seen_s BIGINT NOT NULL,
    expires_s BIGINT NOT NULL,
    -- As the browser calls itself, cut to 200 characters.
    agent TEXT COLLATE "C" NOT NULL,
    -- The sign-in service's session, and the token that ends it there.
    oidc_sid TEXT COLLATE "C",
    id_token TEXT COLLATE "C"
);
CREATE INDEX sessions_person ON sessions (person);
CREATE INDEX sessions_oidc_sid ON sessions (oidc_sid) WHERE oidc_sid IS NOT NULL;
-- What can be opened once: an invitation, a new password, the first admin.
CREATE TABLE links (
    -- SHA-256 of the link's secret.
    hash BYTEA PRIMARY KEY,
    -- By which it is listed and taken back: UUIDv7.
    id TEXT COLLATE "C" NOT NULL UNIQUE,
    -- invite, reset, admin
    kind TEXT COLLATE "C" NOT NULL,
    -- Whose password it sets.
    person TEXT COLLATE "C" REFERENCES people (id) ON DELETE CASCADE,
    role TEXT COLLATE "C" NOT NULL DEFAULT 'member',
    -- JSON list of group names.
    groups TEXT COLLATE "C" NOT NULL DEFAULT '[]',
    -- For whom it is, in the inviter's words.
    note TEXT COLLATE "C" NOT NULL DEFAULT '',
    made_by TEXT COLLATE "C" NOT NULL,
    created_s BIGINT NOT NULL,
    expires_s BIGINT NOT NULL
);
-- The house's own rules: JSON by name.
CREATE TABLE house (
    name TEXT COLLATE "C" PRIMARY KEY,
    value TEXT COLLATE "C" NOT NULL
);
CREATE TABLE audit (
    id BIGINT GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    at_s BIGINT NOT NULL,
    -- A person's id, a key's, `page`, `operator`; a pseudonym once the person is gone.
    who TEXT COLLATE "C" NOT NULL,
    -- The key by which a person asked.
    key TEXT COLLATE "C",
    -- chat, embeddings, sign_in, person_invited, ...
    action TEXT COLLATE "C" NOT NULL,
    -- On what: a person's id, a group, a route. Never what was said.
    object TEXT COLLATE "C" NOT NULL DEFAULT '',
    model TEXT COLLATE "C",
    -- server, upstream, device
    place TEXT COLLATE "C",
    prompt_tokens BIGINT,
    completion_tokens BIGINT,
    -- ok, or an error's code
    outcome TEXT COLLATE "C" NOT NULL DEFAULT 'ok'
);
CREATE INDEX audit_at ON audit (at_s);
CREATE INDEX audit_who ON audit (who);
-- Whose key it is; none: the house's own.
ALTER TABLE api_keys ADD COLUMN person TEXT COLLATE "C" REFERENCES people (id) ON DELETE CASCADE;
-- One name for each owner.
DROP INDEX api_keys_name;
CREATE UNIQUE INDEX api_keys_name ON api_keys (name, coalesce(person, ''))
    WHERE revoked_s IS NULL;
-- JSON list; null allows all.
ALTER TABLE api_keys ADD COLUMN scopes TEXT COLLATE "C";
ALTER TABLE api_keys ADD COLUMN last_used_s BIGINT;
CREATE INDEX api_keys_person ON api_keys (person) WHERE person IS NOT NULL;
-- Who put a document here: its bytes count against that person's storage.
CREATE TABLE document_people (
    document TEXT COLLATE "C" PRIMARY KEY REFERENCES documents (id) ON DELETE CASCADE,
    person TEXT COLLATE "C" NOT NULL REFERENCES people (id) ON DELETE CASCADE
);
CREATE INDEX document_people_person ON document_people (person);
