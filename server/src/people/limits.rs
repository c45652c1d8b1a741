//! Who is held to a limit?

use portico_shared::error::ApiError;

use super::{May, People, Person, policy, storage, store};

impl People {
    /// Those whose tokens or storage the rules limit, what they may, and what they store.
    pub async fn limited(&self) -> Result<Vec<(Person, May, u64)>, ApiError> {
        let found = self.db.call(|connection| {
            let mut found = Vec::new();
            for person in store::list(connection)? {
                let may = policy::may(connection, &person)?;
                let stored = match may.storage_bytes {
                    Some(_) => storage::stored_bytes(connection, person.id)?,
                    None => 0,
                };
                let limits = [may.tokens_per_day, may.tokens_per_month, may.storage_bytes];
                if limits.iter().any(Option::is_some) {
                    found.push((person, may, stored));
                }
            }
            Ok(found)
        });
        Ok(found.await?)
    }
}
