//! How does a GGUF file of the house's own come from an administrator's browser?
//!
//! Its bytes go into a folder beside the models; what they are is judged when all are there, by what
//! `portico models add` judges by. A path on the server is not taken from the page: who administers the house
//! need not be who may read the machine's files.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use axum::body::Body;
use futures_util::StreamExt as _;
use portico_shared::catalogue::is_file_name;
use portico_shared::error::{ApiError, ErrorCode};
use tokio::fs::File;
use tokio::io::AsyncWriteExt as _;

use super::{Job, Stock, Task};
use crate::models::{ModelsError, Phase, add_watched, store};
use crate::people::PersonId;
use crate::temporary::{Temporary, sweep_beside};

impl Stock {
    /// Takes a file in and waits until it is judged: how that ended stands in the job.
    ///
    /// # Errors
    /// `invalid_request` for a name that is none, `disk_too_small`, `models_busy`; `storage_failed`.
    pub async fn upload(
        self: &Arc<Self>,
        name: &str,
        announced_bytes: Option<u64>,
        body: Body,
        person: PersonId,
    ) -> Result<Option<Job>, ApiError> {
        let Some(name) = file_name(name) else {
            let reason = "`name`: the name of a GGUF file, such as my-model.gguf";
            return Err(ApiError::new(ErrorCode::InvalidRequest).with("reason", reason));
        };
        self.has_room(announced_bytes.unwrap_or(0))?;
        let turn = self.begin(Task::Add, &name, &person.to_string())?;
        turn.watch.set_phase(Phase::Fetching);
        turn.watch.set_total(announced_bytes.unwrap_or(0));
        let models_dir = self.library.layout.models_dir();
        let came = async {
            let (folder, path) = scratch(models_dir, &name)?;
            received(&path, body, &turn.watch).await?;
            Ok((folder, path))
        };
        let (folder, path) = match came.await {
            Ok(came) => came,
            Err(error) => {
                turn.end(Err(error));
                return Ok(self.job());
            }
        };
        let work = self.work_on(turn, move |library, watch| {
            let added = add_watched(library, &path, None, Some(watch));
            drop(folder);
            added.map(|_| Vec::new())
        });
        work.await.map_err(|error| ApiError::new(ErrorCode::Internal).detail(error))?;
        Ok(self.job())
    }
}

/// A folder that goes when the work is over, however it ends, and where in it the file comes to lie.
fn scratch(models_dir: &Path, name: &str) -> Result<(Temporary, PathBuf), ModelsError> {
    store::create_dir(models_dir)?;
    let beside = models_dir.join("upload");
    sweep_beside(&beside);
    let folder = Temporary::folder(&beside).map_err(ModelsError::io(models_dir))?;
    let path = folder.path().join(name);
    Ok((folder, path))
}

async fn received(
    path: &Path,
    body: Body,
    watch: &crate::models::Watch,
) -> Result<(), ModelsError> {
    let mut file = File::create(path).await.map_err(ModelsError::io(path))?;
    let mut pieces = body.into_data_stream();
    while let Some(piece) = pieces.next().await {
        watch.go_on()?;
        // Whoever sent it has gone.
        let piece = piece.map_err(|_| ModelsError::Cancelled)?;
        file.write_all(&piece).await.map_err(ModelsError::io(path))?;
        watch.advance(piece.len() as u64);
    }
    file.sync_all().await.map_err(ModelsError::io(path))
}

/// `C:\models\My Model.gguf` → `My-Model.gguf`
fn file_name(given: &str) -> Option<String> {
    let last = given.rsplit(['/', '\\']).next().unwrap_or_default();
    let is_plain = |c: char| c.is_ascii_alphanumeric() || matches!(c, '.' | '_' | '-');
    let name: String = last.chars().map(|c| if is_plain(c) { c } else { '-' }).collect();
    let is_gguf = name.to_ascii_lowercase().ends_with(".gguf") && name.len() > ".gguf".len();
    (is_gguf && is_file_name(&name)).then_some(name)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_files_name_leads_nowhere_else() {
        for (given, name) in [
            ("qwen.gguf", Some("qwen.gguf")),
            ("C:\\models\\My Model (1).GGUF", Some("My-Model--1-.GGUF")),
            ("../../etc/x.gguf", Some("x.gguf")),
            (".gguf", None),
            ("model.bin", None),
            ("", None),
        ] {
            assert_eq!(file_name(given).as_deref(), name, "{given}");
        }
    }
}
