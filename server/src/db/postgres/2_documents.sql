-- JSON list of group names.
ALTER TABLE api_keys ADD COLUMN groups TEXT COLLATE "C" NOT NULL DEFAULT '[]';
ALTER TABLE api_keys ADD COLUMN is_admin BIGINT NOT NULL DEFAULT 0;
CREATE TABLE collections (
    id TEXT COLLATE "C" PRIMARY KEY,
    title TEXT COLLATE "C" NOT NULL,
    -- The model that makes its vectors; null: it is searched by words alone.
    embedder TEXT COLLATE "C",
    created_s BIGINT NOT NULL
);
CREATE TABLE collection_rights (
    collection TEXT COLLATE "C" NOT NULL REFERENCES collections (id) ON DELETE CASCADE,
    group_name TEXT COLLATE "C" NOT NULL,
    -- 1 read, 2 contribute, 3 manage.
    level BIGINT NOT NULL,
    PRIMARY KEY (collection, group_name)
);
CREATE TABLE documents (
    -- UUIDv7
    id TEXT COLLATE "C" PRIMARY KEY,
    collection TEXT COLLATE "C" NOT NULL REFERENCES collections (id) ON DELETE CASCADE,
    -- A synced folder, the start of a crawl, or '' for what was uploaded.
    root TEXT COLLATE "C" NOT NULL,
    -- By which it is known when it comes again: a path in the folder, a URL, a name.
    place TEXT COLLATE "C" NOT NULL,
    name TEXT COLLATE "C" NOT NULL,
    created_s BIGINT NOT NULL,
    -- Of the version that can be searched; null before there is one.
    sha256 TEXT COLLATE "C",
    size_bytes BIGINT,
    media_type TEXT COLLATE "C",
    date_s BIGINT,
    -- The text's own, which goes into its passages' vectors.
    title TEXT COLLATE "C",
    lang TEXT COLLATE "C",
    n_pages BIGINT,
    n_passages BIGINT NOT NULL DEFAULT 0,
    -- JSON list.
    warnings TEXT COLLATE "C" NOT NULL DEFAULT '[]',
    UNIQUE (collection, root, place)
);
CREATE INDEX documents_sha256 ON documents (sha256);
-- Where else the same bytes lie.
CREATE TABLE document_places (
    -- In the order of arrival, as SQLite has it unasked.
    rowid BIGINT GENERATED ALWAYS AS IDENTITY UNIQUE,
    collection TEXT COLLATE "C" NOT NULL REFERENCES collections (id) ON DELETE CASCADE,
    root TEXT COLLATE "C" NOT NULL,
    place TEXT COLLATE "C" NOT NULL,
    name TEXT COLLATE "C" NOT NULL,
    date_s BIGINT NOT NULL,
    document TEXT COLLATE "C" NOT NULL REFERENCES documents (id) ON DELETE CASCADE,
    PRIMARY KEY (collection, root, place)
);
CREATE INDEX document_places_document ON document_places (document);
-- A version of a document on its way to be searched.
CREATE TABLE jobs (
    -- UUIDv7: in the order of arrival.
    id TEXT COLLATE "C" PRIMARY KEY,
    document TEXT COLLATE "C" NOT NULL UNIQUE REFERENCES documents (id) ON DELETE CASCADE,
    -- queued, extracting, embedding, indexing, done, failed
    state TEXT COLLATE "C" NOT NULL,
    sha256 TEXT COLLATE "C" NOT NULL,
    size_bytes BIGINT NOT NULL,
    media_type TEXT COLLATE "C" NOT NULL,
    date_s BIGINT NOT NULL,
    title TEXT COLLATE "C",
    lang TEXT COLLATE "C",
    n_pages BIGINT,
    n_passages BIGINT NOT NULL DEFAULT 0,
    n_embedded BIGINT NOT NULL DEFAULT 0,
    warnings TEXT COLLATE "C" NOT NULL DEFAULT '[]',
    attempts BIGINT NOT NULL DEFAULT 0,
    -- Not before this moment, in milliseconds since 1970.
    wait_until_ms BIGINT NOT NULL DEFAULT 0,
    -- JSON, of one that failed.
    error TEXT COLLATE "C"
);
CREATE INDEX jobs_state ON jobs (state, id);
CREATE INDEX jobs_sha256 ON jobs (sha256);
-- Passages of a version that cannot be searched yet.
CREATE TABLE staged_passages (
    -- In the order of arrival, as SQLite has it unasked.
    rowid BIGINT GENERATED ALWAYS AS IDENTITY UNIQUE,
    job TEXT COLLATE "C" NOT NULL REFERENCES jobs (id) ON DELETE CASCADE,
    ordinal BIGINT NOT NULL,
    id BYTEA NOT NULL,
    text TEXT COLLATE "C" NOT NULL,
    -- JSON list.
    heading_path TEXT COLLATE "C" NOT NULL,
    page BIGINT,
    section TEXT COLLATE "C",
    -- Characters of the document's text.
    from_char BIGINT NOT NULL,
    to_char BIGINT NOT NULL,
    n_tokens BIGINT NOT NULL,
    lang TEXT COLLATE "C" NOT NULL,
    -- Little-endian float32.
    vector BYTEA,
    UNIQUE (job, ordinal)
);
-- Live ones: both indexes have them.
CREATE TABLE passages (
    -- In the order of arrival, as SQLite has it unasked.
    rowid BIGINT GENERATED ALWAYS AS IDENTITY UNIQUE,
    id BYTEA PRIMARY KEY,
    document TEXT COLLATE "C" NOT NULL REFERENCES documents (id) ON DELETE CASCADE,
    ordinal BIGINT NOT NULL,
    text TEXT COLLATE "C" NOT NULL,
    heading_path TEXT COLLATE "C" NOT NULL,
    page BIGINT,
    section TEXT COLLATE "C",
    from_char BIGINT NOT NULL,
    to_char BIGINT NOT NULL,
    n_tokens BIGINT NOT NULL,
    lang TEXT COLLATE "C" NOT NULL,
    vector BYTEA
);
CREATE INDEX passages_document ON passages (document, ordinal);
-- What was extracted, as JSON.
CREATE TABLE staged_texts (
    job TEXT COLLATE "C" PRIMARY KEY REFERENCES jobs (id) ON DELETE CASCADE,
    extracted TEXT COLLATE "C" NOT NULL
);
CREATE TABLE document_texts (
    document TEXT COLLATE "C" PRIMARY KEY REFERENCES documents (id) ON DELETE CASCADE,
    extracted TEXT COLLATE "C" NOT NULL
);
-- Passages that the indexes may still have and that are live no more.
CREATE TABLE index_removals (id BYTEA PRIMARY KEY);
CREATE FUNCTION passage_gone() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN
    INSERT INTO index_removals VALUES (OLD.id) ON CONFLICT DO NOTHING;
    RETURN NULL;
END $$;
CREATE TRIGGER passage_gone AFTER DELETE ON passages FOR EACH ROW
    EXECUTE FUNCTION passage_gone();
CREATE FUNCTION staged_passage_gone() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN
    IF NOT EXISTS (SELECT 1 FROM passages WHERE id = OLD.id) THEN
        INSERT INTO index_removals VALUES (OLD.id) ON CONFLICT DO NOTHING;
    END IF;
    RETURN NULL;
END $$;
CREATE TRIGGER staged_passage_gone AFTER DELETE ON staged_passages FOR EACH ROW
    EXECUTE FUNCTION staged_passage_gone();
-- Files that nothing may refer to any more.
CREATE TABLE file_removals (sha256 TEXT COLLATE "C" PRIMARY KEY);
CREATE FUNCTION document_file_gone() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN
    INSERT INTO file_removals VALUES (OLD.sha256) ON CONFLICT DO NOTHING;
    RETURN NULL;
END $$;
CREATE TRIGGER document_file_gone AFTER DELETE ON documents FOR EACH ROW
    WHEN (OLD.sha256 IS NOT NULL)
    EXECUTE FUNCTION document_file_gone();
CREATE FUNCTION document_file_replaced() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN
    INSERT INTO file_removals VALUES (OLD.sha256) ON CONFLICT DO NOTHING;
    RETURN NULL;
END $$;
CREATE TRIGGER document_file_replaced AFTER UPDATE OF sha256 ON documents FOR EACH ROW
    WHEN (OLD.sha256 IS DISTINCT FROM NEW.sha256 AND OLD.sha256 IS NOT NULL)
    EXECUTE FUNCTION document_file_replaced();
CREATE FUNCTION job_file_gone() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN
    INSERT INTO file_removals VALUES (OLD.sha256) ON CONFLICT DO NOTHING;
    RETURN NULL;
END $$;
CREATE TRIGGER job_file_gone AFTER DELETE ON jobs FOR EACH ROW
    EXECUTE FUNCTION job_file_gone();
-- Files that came ahead of what refers to them.
CREATE TABLE held_files (
    sha256 TEXT COLLATE "C" PRIMARY KEY,
    size_bytes BIGINT NOT NULL,
    until_s BIGINT NOT NULL
);
CREATE FUNCTION held_file_gone() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN
    INSERT INTO file_removals VALUES (OLD.sha256) ON CONFLICT DO NOTHING;
    RETURN NULL;
END $$;
CREATE TRIGGER held_file_gone AFTER DELETE ON held_files FOR EACH ROW
    EXECUTE FUNCTION held_file_gone();
-- How a file of a synced folder was when it was last taken in: a change shows without reading it.
CREATE TABLE synced (
    collection TEXT COLLATE "C" NOT NULL REFERENCES collections (id) ON DELETE CASCADE,
    root TEXT COLLATE "C" NOT NULL,
    place TEXT COLLATE "C" NOT NULL,
    stamp TEXT COLLATE "C" NOT NULL,
    PRIMARY KEY (collection, root, place)
);
-- What a crawl knows of an address.
CREATE TABLE crawled (
    collection TEXT COLLATE "C" NOT NULL REFERENCES collections (id) ON DELETE CASCADE,
    root TEXT COLLATE "C" NOT NULL,
    url TEXT COLLATE "C" NOT NULL,
    etag TEXT COLLATE "C",
    last_modified TEXT COLLATE "C",
    -- JSON list of the addresses that it links to.
    links TEXT COLLATE "C" NOT NULL DEFAULT '[]',
    PRIMARY KEY (collection, root, url)
);
