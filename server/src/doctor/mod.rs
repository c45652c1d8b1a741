//! Is everything well that this server needs, and what is to be done where it is not?
//!
//! Each check has a stable name and one sentence of what was found; what is not well has another one of
//! what to do. Nothing is changed but for probes that go again, and nothing is made: a house that was
//! never started stays so.

mod data;
mod machine;
mod models;
mod network;
mod reach;
mod report;
mod search;
mod secrets;

use std::path::Path;

use portico_shared::error::Lang;

use crate::config::Config;
use crate::models::Layout;

pub use report::{Check, Report, Verdict};

/// What is examined.
#[derive(Debug)]
pub struct Patient<'a> {
    pub layout: &'a Layout,
    pub config: &'a Config,
    pub config_path: &'a Path,
    /// Read every byte of models, and look into every index of the database.
    pub is_thorough: bool,
    pub lang: Lang,
}

impl Patient<'_> {
    /// The sentence of the person's language.
    fn say(&self, de: impl Into<String>, en: impl Into<String>) -> String {
        match self.lang {
            Lang::De => de.into(),
            Lang::En => en.into(),
        }
    }
}

/// Examines everything, one after the other.
pub async fn examine(patient: &Patient<'_>) -> Report {
    let mut report = Report::default();
    data::examine(patient, &mut report);
    secrets::examine(patient, &mut report);
    data::examine_files(patient, &mut report).await;
    machine::examine(patient, &mut report).await;
    models::examine(patient, &mut report);
    search::examine(patient, &mut report).await;
    network::examine(patient, &mut report).await;
    report
}
