-- What SQLite brings with it, by its names.
CREATE FUNCTION unixepoch() RETURNS BIGINT LANGUAGE sql STABLE
    AS $$ SELECT CAST(floor(extract(epoch FROM now())) AS BIGINT) $$;
CREATE FUNCTION unhex(digits TEXT) RETURNS BYTEA LANGUAGE sql IMMUTABLE STRICT
    AS $$ SELECT decode(digits, 'hex') $$;
CREATE FUNCTION min(a BIGINT, b BIGINT) RETURNS BIGINT LANGUAGE sql IMMUTABLE
    AS $$ SELECT CASE WHEN a IS NULL OR b IS NULL THEN NULL ELSE least(a, b) END $$;
CREATE FUNCTION max(a BIGINT, b BIGINT) RETURNS BIGINT LANGUAGE sql IMMUTABLE
    AS $$ SELECT CASE WHEN a IS NULL OR b IS NULL THEN NULL ELSE greatest(a, b) END $$;
-- A list's texts.
CREATE FUNCTION json_each(list TEXT, OUT value TEXT) RETURNS SETOF TEXT LANGUAGE sql IMMUTABLE STRICT
    AS $$ SELECT json_array_elements_text(CAST(list AS json)) $$;
CREATE FUNCTION json_group_text(members TEXT[]) RETURNS TEXT LANGUAGE sql IMMUTABLE
    AS $$ SELECT CAST(array_to_json(members) AS TEXT) $$;
CREATE AGGREGATE json_group_array(TEXT) (
    SFUNC = array_append, STYPE = TEXT[], INITCOND = '{}', FINALFUNC = json_group_text
);
CREATE TABLE api_keys (
    -- In the key's own text, to find it by.
    id TEXT COLLATE "C" PRIMARY KEY,
    name TEXT COLLATE "C" NOT NULL,
    -- SHA-256 of the whole key.
    hash BYTEA NOT NULL,
    created_s BIGINT NOT NULL,
    expires_s BIGINT,
    revoked_s BIGINT,
    -- JSON list of model names; null allows all.
    models TEXT COLLATE "C",
    requests_per_minute BIGINT,
    tokens_per_minute BIGINT,
    tokens_per_day BIGINT,
    tokens_per_month BIGINT
);
CREATE UNIQUE INDEX api_keys_name ON api_keys (name) WHERE revoked_s IS NULL;
CREATE TABLE usage (
    -- A key's id, or who else asked.
    who TEXT COLLATE "C" NOT NULL,
    -- 2026-11-25, UTC.
    day TEXT COLLATE "C" NOT NULL,
    model TEXT COLLATE "C" NOT NULL,
    requests BIGINT NOT NULL DEFAULT 0,
    prompt_tokens BIGINT NOT NULL DEFAULT 0,
    completion_tokens BIGINT NOT NULL DEFAULT 0,
    PRIMARY KEY (who, day, model)
);
