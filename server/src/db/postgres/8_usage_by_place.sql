-- A key's id, or who else asked; `earlier` where it is nobody's business any more.
-- server, upstream, device; empty where it was not counted yet
ALTER TABLE usage ADD COLUMN place TEXT COLLATE "C" NOT NULL DEFAULT '';
ALTER TABLE usage DROP CONSTRAINT usage_pkey;
ALTER TABLE usage ADD PRIMARY KEY (who, day, model, place);
CREATE INDEX usage_day ON usage (day);
-- How many devices said what, each fact by itself: no row is one device's.
CREATE TABLE device_counts (
    -- 2026-11, UTC
    month TEXT COLLATE "C" NOT NULL,
    -- all, gpu, memory, f16, subgroups, buffer, model
    fact TEXT COLLATE "C" NOT NULL,
    value TEXT COLLATE "C" NOT NULL,
    -- Shown.
    n BIGINT NOT NULL DEFAULT 0,
    -- Waiting until there are enough others.
    held BIGINT NOT NULL DEFAULT 0,
    PRIMARY KEY (month, fact, value)
);
