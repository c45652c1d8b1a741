//! Which models come under terms that somebody has to accept, and who did?
//!
//! Licences that SPDX lists let everybody use the weights. Others are contracts, which a person concludes for
//! the house: whose act that was, and when, is kept.

use std::collections::BTreeMap;

use portico_shared::catalogue::Licence;
use portico_shared::error::ApiError;
use serde::Serialize;

use super::Stock;
use crate::keys::now_s;
use crate::people::PersonId;
use crate::people::audit::Entry;

/// That somebody accepted terms for the house.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Accepted {
    /// As others see them; none: they are not here any more.
    pub by: Option<String>,
    pub at_s: u64,
}

/// Whether somebody has to accept it. Whoever brought a file of their own has its terms already.
pub fn needs_acceptance(licence: &Licence, added: bool) -> bool {
    !added && (licence.id.starts_with("LicenseRef-") || licence.id == "NOASSERTION")
}

impl Stock {
    /// By the licence's id.
    pub(super) async fn accepted(&self) -> Result<BTreeMap<String, Accepted>, ApiError> {
        if !self.db.exists() {
            return Ok(BTreeMap::new());
        }
        let accepted = self.db.call(|connection| {
            let sql = "SELECT licence, accepted_s, display_name FROM model_licences
                LEFT JOIN people ON people.id = person";
            let mut select = connection.prepare_cached(sql)?;
            let rows = select.query_map([], |row| {
                let at_s: i64 = row.get("accepted_s")?;
                let by = row.get("display_name")?;
                let accepted = Accepted { by, at_s: u64::try_from(at_s).unwrap_or(0) };
                Ok((row.get::<_, String>("licence")?, accepted))
            })?;
            rows.collect()
        });
        Ok(accepted.await?)
    }

    /// The first acceptance counts; another one changes nothing.
    pub(super) async fn accept(&self, licence: &Licence, person: PersonId) -> Result<(), ApiError> {
        let id = licence.id.clone();
        let accepted = self.db.call(move |connection| {
            let sql = "INSERT INTO model_licences (licence, person, accepted_s) VALUES (?1, ?2, ?3)
                ON CONFLICT (licence) DO NOTHING";
            connection.execute(sql, (id.as_str(), person, now_s().cast_signed()))
        });
        if accepted.await? > 0 {
            let entry = Entry::act(&person.to_string(), "licence_accepted", &licence.id);
            self.people.audit.note(entry);
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_everybody_may_use_needs_nobodys_word() {
        let licence = |id: &str| Licence { id: id.to_owned(), name: None, url: None };
        for (id, added, needed) in [
            ("Apache-2.0", false, false),
            ("MIT", false, false),
            ("LicenseRef-Gemma", false, true),
            ("NOASSERTION", false, true),
            ("LicenseRef-Gemma", true, false),
        ] {
            assert_eq!(needs_acceptance(&licence(id), added), needed, "{id} {added}");
        }
    }
}
