-- Of devices' making, 32 bytes in hex; null: the file is not encrypted.
ALTER TABLE attachment_uses ADD COLUMN name TEXT COLLATE "C";
-- Since when a device says that the conversation is deleted; null: none does.
ALTER TABLE attachment_uses ADD COLUMN released_s BIGINT;
CREATE INDEX attachment_uses_name ON attachment_uses (person, name) WHERE name IS NOT NULL;
