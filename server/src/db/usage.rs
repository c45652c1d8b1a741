//! Which tables does it need to say what was used where, and on which devices models can run?

/// The place of each count, and what devices said of themselves: counts alone.
pub(super) const USAGE_BY_PLACE: &str = "
    CREATE TABLE usage_by_place (
        -- A key's id, or who else asked; `earlier` where it is nobody's business any more.
        who TEXT NOT NULL,
        -- 2026-11-25, UTC.
        day TEXT NOT NULL,
        model TEXT NOT NULL,
        -- server, upstream, device; empty where it was not counted yet
        place TEXT NOT NULL DEFAULT '',
        requests INTEGER NOT NULL DEFAULT 0,
        prompt_tokens INTEGER NOT NULL DEFAULT 0,
        completion_tokens INTEGER NOT NULL DEFAULT 0,
        PRIMARY KEY (who, day, model, place)
    ) STRICT, WITHOUT ROWID;
    INSERT INTO usage_by_place (who, day, model, requests, prompt_tokens, completion_tokens)
        SELECT who, day, model, requests, prompt_tokens, completion_tokens FROM usage;
    DROP TABLE usage;
    ALTER TABLE usage_by_place RENAME TO usage;
    CREATE INDEX usage_day ON usage (day);
    -- How many devices said what, each fact by itself: no row is one device's.
    CREATE TABLE device_counts (
        -- 2026-11, UTC
        month TEXT NOT NULL,
        -- all, gpu, memory, f16, subgroups, buffer, model
        fact TEXT NOT NULL,
        value TEXT NOT NULL,
        -- Shown.
        n INTEGER NOT NULL DEFAULT 0,
        -- Waiting until there are enough others.
        held INTEGER NOT NULL DEFAULT 0,
        PRIMARY KEY (month, fact, value)
    ) STRICT, WITHOUT ROWID;";
