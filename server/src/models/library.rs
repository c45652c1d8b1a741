//! Which models does this server list, and which of them does it have?

use std::path::PathBuf;
use std::sync::Arc;
use std::{fs, io};

use portico_shared::catalogue::{Catalogue, CatalogueView, Kind, Model, ModelView, is_model_id};

use super::{Layout, Lock, ModelsError, browser_file};

/// The catalogue that the binary carries.
pub const BUILT_IN_CATALOGUE: &str = include_str!("../../models.toml");

/// Where a hub is, unless the catalogue or the caller says otherwise.
const HUB_URL: &str = "https://huggingface.co";

/// The catalogue and the folders beside it.
#[derive(Clone, Debug)]
pub struct Library {
    pub layout: Layout,
    pub catalogue: Catalogue,
}

/// A look at the shelves: what is listed and what is there, at one moment.
#[derive(Clone, Debug)]
pub struct Shelf {
    pub entries: Vec<Entry>,
}

#[derive(Clone, Debug)]
pub struct Entry {
    /// With the lock file's sizes and digests filled in.
    pub model: Model,
    /// One for each of the model's files.
    pub files: Vec<FileState>,
    /// Not from the catalogue: added by hand.
    pub added: bool,
    /// Of the file that browsers get in place of these, where there is one.
    pub browser_bytes: Option<u64>,
}

/// What a look at a file's size says; its bytes are checked by `verify`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum FileState {
    Present {
        size_bytes: u64,
    },
    Missing,
    /// There, but not as long as the catalogue or the lock file says.
    WrongSize {
        size_bytes: u64,
    },
}

impl Entry {
    pub fn is_available(&self) -> bool {
        self.files.iter().all(|state| matches!(state, FileState::Present { .. }))
    }

    /// Bytes of what is here of it.
    pub fn present_bytes(&self) -> u64 {
        let bytes = self.files.iter().map(|state| match *state {
            FileState::Present { size_bytes } | FileState::WrongSize { size_bytes } => size_bytes,
            FileState::Missing => 0,
        });
        bytes.sum()
    }

    pub fn has_damage(&self) -> bool {
        self.files.iter().any(|state| matches!(state, FileState::WrongSize { .. }))
    }
}

impl Shelf {
    pub fn available(&self) -> impl Iterator<Item = &Entry> {
        self.entries.iter().filter(|entry| entry.is_available())
    }

    pub fn get(&self, id: &str) -> Result<&Entry, ModelsError> {
        let entry = self.entries.iter().find(|entry| entry.model.id == id);
        entry.ok_or_else(|| ModelsError::NotFound(id.to_owned()))
    }

    /// As the page sees it.
    pub fn view(&self) -> CatalogueView {
        self.view_with(None)
    }

    /// [`Self::view`] where somebody chose what is offered first.
    pub fn view_with(&self, chosen: Option<&str>) -> CatalogueView {
        let listed = self.entries.iter().find(|entry| entry.model.default);
        let here = |entry: &&Entry| entry.is_available() && entry.model.kind == Kind::Chat;
        let is_chosen = |entry: &&Entry| chosen == Some(entry.model.id.as_str());
        let default = self.entries.iter().find(is_chosen).filter(here);
        let default = default
            .or_else(|| listed.filter(here))
            .or_else(|| self.entries.iter().find(|entry| here(entry) && !entry.model.test_only))
            .or(listed);
        CatalogueView {
            default_model: default.map(|entry| entry.model.id.clone()),
            models: self.entries.iter().map(Entry::view).collect(),
        }
    }
}

impl Entry {
    fn view(&self) -> ModelView {
        let mut model = self.model.clone();
        for (file, state) in model.files.iter_mut().zip(&self.files) {
            if let FileState::Present { size_bytes } = state {
                file.size_bytes = *size_bytes;
            }
        }
        let view = ModelView::new(model, self.is_available());
        match self.browser_bytes {
            Some(size_bytes) => view.of_size(size_bytes),
            None => view,
        }
    }
}

impl Library {
    /// Opens the data folder's catalogue, else the one built in.
    pub fn open(layout: Layout) -> Result<Self, ModelsError> {
        let path = layout.catalogue();
        let (text, path) = match fs::read_to_string(&path) {
            Ok(text) => (text, path),
            Err(error) if error.kind() == io::ErrorKind::NotFound => {
                (BUILT_IN_CATALOGUE.to_owned(), PathBuf::from("the built-in models.toml"))
            }
            Err(error) => return Err(ModelsError::io(&path)(error)),
        };
        let catalogue = Catalogue::from_toml(&text)
            .map_err(|source| ModelsError::Catalogue { path, source })?;
        Ok(Self { layout, catalogue })
    }

    pub fn hub_url(&self) -> &str {
        self.catalogue.hub_url.as_deref().unwrap_or(HUB_URL)
    }

    /// [`Self::look`] off the async threads.
    pub async fn shelf(self: &Arc<Self>) -> Result<Shelf, ModelsError> {
        let library = Arc::clone(self);
        let look = tokio::task::spawn_blocking(move || library.look()).await;
        look.unwrap_or_else(|error| {
            Err(ModelsError::io(self.layout.models_dir())(io::Error::other(error)))
        })
    }

    /// Looks which files are there: one `stat` a file, so that models that come and go while the
    /// server runs are seen.
    pub fn look(&self) -> Result<Shelf, ModelsError> {
        let lock = Lock::read(&self.layout.lock())?;
        let listed = self.catalogue.models.iter().map(|model| (model.clone(), false));
        let added = self.added()?.into_iter().map(|model| (model, true));
        let entries = listed.chain(added).map(|(mut model, added)| {
            lock.apply(&mut model);
            let files = model.files.iter().map(|file| {
                let path = self.layout.file(&model.id, &file.name);
                match fs::metadata(&path) {
                    Ok(meta) if meta.is_file() => {
                        let size_bytes = meta.len();
                        // Without a digest the size is a rounded one.
                        let is_right = file.sha256.is_none() || size_bytes == file.size_bytes;
                        if is_right {
                            Ok(FileState::Present { size_bytes })
                        } else {
                            Ok(FileState::WrongSize { size_bytes })
                        }
                    }
                    Ok(_) => Ok(FileState::Missing),
                    Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(FileState::Missing),
                    Err(error) => Err(ModelsError::io(&path)(error)),
                }
            });
            let files = files.collect::<Result<_, _>>()?;
            let browser_bytes = match browser_file::is_converted(&model) {
                true => {
                    fs::metadata(self.layout.browser_file(&model.id)).ok().map(|meta| meta.len())
                }
                false => None,
            };
            Ok(Entry { model, files, added, browser_bytes })
        });
        Ok(Shelf { entries: entries.collect::<Result<_, ModelsError>>()? })
    }

    /// Models that were added by hand, by id. A description that cannot be read is logged and left
    /// out: one bad file must not hide the others.
    fn added(&self) -> Result<Vec<Model>, ModelsError> {
        let dir = self.layout.models_dir();
        let folders = match fs::read_dir(dir) {
            Ok(folders) => folders,
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Vec::new()),
            Err(error) => return Err(ModelsError::io(dir)(error)),
        };
        let mut models = Vec::new();
        for folder in folders {
            let name = folder.map_err(ModelsError::io(dir))?.file_name();
            let Some(id) = name.to_str().filter(|id| is_model_id(id)) else { continue };
            if self.catalogue.get(id).is_some() {
                continue;
            }
            let path = self.layout.entry(id);
            let Ok(text) = fs::read_to_string(&path) else { continue };
            match Catalogue::from_toml(&text).map(|catalogue| catalogue.models) {
                Ok(entry) if entry.len() == 1 && entry[0].id == id => models.extend(entry),
                Ok(_) => {
                    tracing::warn!(path = %path.display(), "not the description of one model `{id}`");
                }
                Err(error) => tracing::warn!(path = %path.display(), %error, "left out"),
            }
        }
        models.sort_by(|a, b| a.id.cmp(&b.id));
        Ok(models)
    }
}
