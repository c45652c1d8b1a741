//! What do the views show? Signals, copied freely.

use std::sync::Arc;

use leptos::prelude::*;
use portico_library::address::{Address, ON_DEVICE};
use portico_library::api::{Collection, Collections, Jobs};
use portico_library::texts::Text;
use portico_shared::error::{ApiError, Lang};
use portico_web::turns::Turns;
use wasm_bindgen::JsValue;
use wasm_bindgen_futures::spawn_local;

use crate::embed::Progress;
use crate::net;
use crate::uploads::Upload;

/// What was asked for, as far as it has come.
#[derive(Clone, Debug, PartialEq)]
pub enum Asked<T> {
    Loading,
    Loaded(T),
    Failed(ApiError),
}

impl<T> Asked<T> {
    pub fn loaded(&self) -> Option<&T> {
        match self {
            Self::Loaded(value) => Some(value),
            _ => None,
        }
    }
}

impl<T> From<Result<T, ApiError>> for Asked<T> {
    fn from(result: Result<T, ApiError>) -> Self {
        match result {
            Ok(value) => Self::Loaded(value),
            Err(error) => Self::Failed(error),
        }
    }
}

/// What is asked before something is lost.
#[derive(Clone)]
pub struct Confirm {
    pub text: String,
    pub label: Text,
    pub then: Arc<dyn Fn() + Send + Sync>,
}

#[derive(Clone, Copy)]
pub struct Library {
    pub lang: RwSignal<Lang>,
    /// None while the page shows something else.
    pub address: RwSignal<Option<Address>>,
    pub online: RwSignal<bool>,
    pub collections: RwSignal<Asked<Vec<Collection>>>,
    pub jobs: RwSignal<Jobs>,
    /// Grows when documents of the server may have changed.
    pub version: RwSignal<u64>,
    /// Grows when documents of this browser have changed.
    pub shelf_version: RwSignal<u64>,
    pub uploads: RwSignal<Vec<Upload>>,
    pub confirm: RwSignal<Option<Confirm>>,
    /// The device's embedder makes the vectors of what is uploaded, where it can.
    pub indexes_here: RwSignal<bool>,
    /// Vectors of this browser's documents.
    pub embedding: RwSignal<Progress>,
    /// What the screen reader is told next.
    pub announcement: RwSignal<String>,
    /// What is searched for, kept while a source is looked at.
    pub filters: RwSignal<crate::view::search::Filters>,
    /// Whose signals live as long as the page: those of a view go with it.
    pub owner: StoredValue<Owner>,
}

impl Library {
    pub fn new(lang: Lang) -> Self {
        Self {
            lang: RwSignal::new(lang),
            address: RwSignal::new(None),
            online: RwSignal::new(true),
            collections: RwSignal::new(Asked::Loading),
            jobs: RwSignal::new(Jobs::default()),
            version: RwSignal::new(0),
            shelf_version: RwSignal::new(0),
            uploads: RwSignal::new(Vec::new()),
            confirm: RwSignal::new(None),
            indexes_here: RwSignal::new(false),
            embedding: RwSignal::new(Progress::default()),
            announcement: RwSignal::new(String::new()),
            filters: RwSignal::new(crate::view::search::Filters::default()),
            owner: StoredValue::new(Owner::current().unwrap_or_default()),
        }
    }

    /// A sentence in the page's language, for a view.
    pub fn t(self, text: Text) -> impl Fn() -> &'static str + Copy + Send + Sync + 'static {
        move || text.get(self.lang.get())
    }

    /// A sentence with values, now.
    pub fn fill(self, text: Text, values: &[(&str, &str)]) -> String {
        text.fill(self.lang.get_untracked(), values)
    }

    pub fn say(self, text: impl Into<String>) {
        self.announcement.set(text.into());
    }

    pub fn ask(self, text: String, label: Text, then: impl Fn() + Send + Sync + 'static) {
        self.confirm.set(Some(Confirm { text, label, then: Arc::new(then) }));
    }

    /// Goes to another place; the back button leads back.
    pub fn go(self, address: Address) {
        let history = web_sys::window().and_then(|window| window.history().ok());
        if let Some(history) = history {
            // Refused only in a sandbox: then the address stays as it was.
            history.push_state_with_url(&JsValue::NULL, "", Some(&address.hash())).ok();
        }
        self.address.set(Some(address));
    }

    pub fn load_collections(self) {
        thread_local!(static ASKED: Turns = const { Turns::new() });
        let turn = ASKED.with(Turns::next);
        spawn_local(async move {
            let asked = net::get::<Collections>("/api/collections").await;
            if asked.is_ok() && !ASKED.with(|asked| asked.take(turn)) {
                return;
            }
            let asked = asked.map(|found| found.collections);
            // What was there is better than a connection's error.
            let keeps =
                asked.is_err() && self.collections.with_untracked(|known| known.loaded().is_some());
            if !keeps {
                self.collections.set(asked.into());
            }
        });
    }

    pub fn collection(self, id: &str) -> Option<Collection> {
        self.collections.with(|known| known.loaded()?.iter().find(|one| one.id == id).cloned())
    }

    /// A collection's title; its id where it is not known.
    pub fn collection_title(self, id: &str) -> String {
        if id == ON_DEVICE {
            return Text::OnDevice.get(self.lang.get()).to_owned();
        }
        self.collection(id).map_or_else(|| id.to_owned(), |collection| collection.title)
    }

    /// Documents of the server may have changed.
    pub fn changed(self) {
        self.version.update(|version| *version += 1);
        self.load_collections();
    }
}
