//! The move of all vectors to another store or embedder.

pub(super) const VECTOR_MOVES: &str = "
    CREATE TABLE vector_moves (
        -- One at a time.
        id INTEGER PRIMARY KEY CHECK (id = 1),
        -- JSON of where to, as [documents.vectors] has it; null: where they are.
        store TEXT,
        -- The model that makes them anew; null: the one that made them.
        embedder TEXT,
        -- moving, done, failed
        state TEXT NOT NULL,
        n_done INTEGER NOT NULL DEFAULT 0,
        n_all INTEGER NOT NULL DEFAULT 0,
        -- JSON, of one that failed.
        error TEXT
    ) STRICT;
    -- By the new embedder, of passages that are live; they take the old ones' place together.
    CREATE TABLE moved_vectors (
        passage BLOB PRIMARY KEY REFERENCES passages (id) ON DELETE CASCADE,
        -- Little-endian float32.
        vector BLOB NOT NULL
    ) STRICT;
    -- Its text is embedded under another title now.
    CREATE TRIGGER moved_vector_stale AFTER UPDATE OF vector ON passages
        WHEN OLD.vector IS NOT NEW.vector BEGIN
        DELETE FROM moved_vectors WHERE passage = NEW.id;
    END;";
