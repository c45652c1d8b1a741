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

#[cfg(test)]
mod tests {
    use crate::db::{Db, FILE_NAME, migrate};

    #[test]
    fn what_was_counted_before_keeps_its_counts_without_a_place() {
        let kept = tempfile::tempdir().unwrap();
        let folder = kept.path().join("folder");
        std::fs::create_dir_all(&folder).unwrap();
        let path = folder.join(FILE_NAME);
        let older = migrate::of_schema(&path, 7);
        let sql = "INSERT INTO usage VALUES ('a', '2026-11-25', 'm', 3, 20, 10)";
        older.execute(sql, []).unwrap();
        drop(older);
        let found = Db::new(path).call_blocking(|connection| {
            let sql = "INSERT INTO usage (who, day, model, place) VALUES ('a', '2026-11-25', 'm', 'server')";
            connection.execute(sql, [])?;
            let sql = "SELECT place, requests, prompt_tokens, completion_tokens FROM usage
                ORDER BY place";
            let mut select = connection.prepare(sql)?;
            let rows = select.query_map([], |row| {
                Ok((row.get::<_, String>(0)?, row.get::<_, i64>(1)?, row.get::<_, i64>(2)?, row.get::<_, i64>(3)?))
            })?;
            rows.collect::<Result<Vec<_>, _>>()
        });
        let expected = [(String::new(), 3, 20, 10), ("server".to_owned(), 0, 0, 0)];
        assert_eq!(found.unwrap(), expected);
    }
}
