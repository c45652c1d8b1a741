//! The database's own word on what may be shown, whatever an index found.

use super::*;
use crate::db::Db;

#[test]
fn the_database_gives_only_what_is_live_and_may_be_read_now() {
    let folder = tempfile::tempdir().unwrap();
    let db = Db::new(folder.path().join(crate::db::FILE_NAME));
    let [open, closed, gone] = [1, 2, 3].map(Uuid::from_u128);
    let found = db.call_blocking(|connection| {
        for (collection, group, passage) in [("own", "staff", open), ("others", "board", closed)] {
            let sql = "INSERT INTO collections (id, title, created_s) VALUES (?1, ?1, 0)";
            connection.execute(sql, [collection])?;
            let sql = "INSERT INTO collection_rights VALUES (?1, ?2, 1)";
            connection.execute(sql, [collection, group])?;
            let sql = "INSERT INTO documents (id, collection, root, place, name, created_s)
                VALUES (?1, ?1, '', '', ?1, 0)";
            connection.execute(sql, [collection])?;
            let sql = "INSERT INTO passages (id, document, ordinal, text, heading_path, from_char,
                to_char, n_tokens, lang) VALUES (?1, ?2, 0, 'text', '[]', 0, 4, 1, 'en')";
            connection.execute(sql, (passage.as_bytes().as_slice(), collection))?;
        }
        let ids = [open, closed, gone];
        let read = |rights: &Rights| live(connection, rights, &ids);
        let staff = read(&Rights::new("k", &["staff".to_owned()], false))?;
        let nobody = read(&Rights::new("k", &[], false))?;
        Ok((staff, nobody, read(&Rights::of_operator())?))
    });
    let (staff, nobody, all) = found.unwrap();
    assert_eq!(staff.keys().collect::<Vec<_>>(), [&open]);
    assert!(nobody.is_empty());
    assert_eq!(all.len(), 2);
}
