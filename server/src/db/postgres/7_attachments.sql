CREATE TABLE attachments (
    person TEXT COLLATE "C" NOT NULL REFERENCES people (id) ON DELETE CASCADE,
    sha256 TEXT COLLATE "C" NOT NULL,
    size_bytes BIGINT NOT NULL,
    -- By what its bytes begin with, not by what anybody says.
    media_type TEXT COLLATE "C" NOT NULL,
    created_s BIGINT NOT NULL,
    PRIMARY KEY (person, sha256)
);
CREATE INDEX attachments_sha256 ON attachments (sha256);
CREATE FUNCTION attachment_file_gone() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN
    INSERT INTO file_removals VALUES (OLD.sha256) ON CONFLICT DO NOTHING;
    RETURN NULL;
END $$;
CREATE TRIGGER attachment_file_gone AFTER DELETE ON attachments FOR EACH ROW
    EXECUTE FUNCTION attachment_file_gone();
-- As devices say it: what a conversation holds may be encrypted.
CREATE TABLE attachment_uses (
    person TEXT COLLATE "C" NOT NULL REFERENCES people (id) ON DELETE CASCADE,
    sha256 TEXT COLLATE "C" NOT NULL,
    -- UUID, as text
    conversation TEXT COLLATE "C" NOT NULL,
    -- Since when the conversation is not there, or deleted; null: it is there.
    idle_since_s BIGINT,
    PRIMARY KEY (person, sha256, conversation)
);
CREATE TABLE attachment_uploads (
    -- UUIDv7: the folder that its chunks lie in.
    id TEXT COLLATE "C" PRIMARY KEY,
    person TEXT COLLATE "C" NOT NULL REFERENCES people (id) ON DELETE CASCADE,
    sha256 TEXT COLLATE "C" NOT NULL,
    size_bytes BIGINT NOT NULL,
    -- When something of it came last.
    touched_s BIGINT NOT NULL,
    UNIQUE (person, sha256)
);
