//! Which tables does what administrators do on the page need?

/// Terms of models that were accepted for the house, and servers of tools that were added.
pub(super) const ADMINISTRATION: &str = "
    CREATE TABLE model_licences (
        -- As the catalogue names it.
        licence TEXT PRIMARY KEY,
        -- Who accepted it; null: they are not here any more.
        person TEXT REFERENCES people (id) ON DELETE SET NULL,
        accepted_s INTEGER NOT NULL
    ) STRICT, WITHOUT ROWID;
    CREATE TABLE mcp_servers (
        id TEXT PRIMARY KEY,
        -- JSON
        settings TEXT NOT NULL,
        -- JSON, name to value: shown to that server and to nobody else.
        headers TEXT NOT NULL,
        changed_s INTEGER NOT NULL
    ) STRICT, WITHOUT ROWID;";
