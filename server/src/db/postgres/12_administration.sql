CREATE TABLE model_licences (
    -- As the catalogue names it.
    licence TEXT COLLATE "C" PRIMARY KEY,
    -- Who accepted it; null: they are not here any more.
    person TEXT COLLATE "C" REFERENCES people (id) ON DELETE SET NULL,
    accepted_s BIGINT NOT NULL
);
CREATE TABLE mcp_servers (
    id TEXT COLLATE "C" PRIMARY KEY,
    -- JSON
    settings TEXT COLLATE "C" NOT NULL,
    -- JSON, name to value: shown to that server and to nobody else.
    headers TEXT COLLATE "C" NOT NULL,
    changed_s BIGINT NOT NULL
);
