CREATE TABLE vector_moves (
    -- One at a time.
    id BIGINT PRIMARY KEY CHECK (id = 1),
    -- JSON of where to, as [documents.vectors] has it; null: where they are.
    store TEXT COLLATE "C",
    -- The model that makes them anew; null: the one that made them.
    embedder TEXT COLLATE "C",
    -- moving, done, failed
    state TEXT COLLATE "C" NOT NULL,
    n_done BIGINT NOT NULL DEFAULT 0,
    n_all BIGINT NOT NULL DEFAULT 0,
    -- JSON, of one that failed.
    error TEXT COLLATE "C"
);
-- By the new embedder, of passages that are live; they take the old ones' place together.
CREATE TABLE moved_vectors (
    passage BYTEA PRIMARY KEY REFERENCES passages (id) ON DELETE CASCADE,
    -- Little-endian float32.
    vector BYTEA NOT NULL
);
-- Its text is embedded under another title now.
CREATE FUNCTION moved_vector_stale() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN
    DELETE FROM moved_vectors WHERE passage = NEW.id;
    RETURN NULL;
END $$;
CREATE TRIGGER moved_vector_stale AFTER UPDATE OF vector ON passages FOR EACH ROW
    WHEN (OLD.vector IS DISTINCT FROM NEW.vector)
    EXECUTE FUNCTION moved_vector_stale();
