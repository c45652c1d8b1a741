//! What does the page show? Signals that the views read and [`crate::setup`] writes.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use leptos::prelude::*;
use portico_page::assistants::Assistant;
use portico_page::fit::{DeviceFacts, Fit, fit};
use portico_page::i18n::{Lang, Text};
use portico_page::route::Offer;
use portico_page::tools::{Offered, of_device};
use portico_shared::catalogue::ModelView;
use portico_shared::error::ApiError;
use portico_web::protocol::{DeviceReport, ModelState, StorageReport};
use portico_web::sync_link::SyncState;
use uuid::Uuid;

use crate::announcements::Announcement;
use crate::answer::LiveInfo;
use crate::attach::Attached;
use crate::documents::Collection;
use crate::files::Transfers;
use crate::import::Progress;
use crate::log::Thread;
use crate::prefs;
use crate::session::Look;

/// Light, dark, or as the system is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Theme {
    Auto,
    Light,
    Dark,
}

impl Theme {
    pub const ALL: [Self; 3] = [Self::Auto, Self::Light, Self::Dark];

    pub fn name(self) -> &'static str {
        match self {
            Self::Auto => "auto",
            Self::Light => "light",
            Self::Dark => "dark",
        }
    }

    pub fn from_name(name: &str) -> Self {
        Self::ALL.into_iter().find(|theme| theme.name() == name).unwrap_or(Self::Auto)
    }

    pub fn text(self) -> Text {
        match self {
            Self::Auto => Text::ThemeAuto,
            Self::Light => Text::ThemeLight,
            Self::Dark => Text::ThemeDark,
        }
    }
}

/// `/api/catalogue` as far as it has come.
#[derive(Clone, Debug, PartialEq)]
pub enum Catalogue {
    Loading,
    Loaded {
        models: Vec<Arc<ModelView>>,
        default_model: Option<String>,
    },
    /// With the technical cause.
    Failed(String),
}

/// The dialog that is open.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Dialog {
    Models,
    Settings,
    /// What the keyboard does.
    Keys,
    /// A conversation's folder, tags and place in the archive.
    Organise(Uuid),
    /// A message's versions side by side.
    Versions(Uuid),
    /// Another answer in a message's place, by a model to be chosen.
    AnswerWith(Uuid),
}

/// What a toast's button does. It outlives the view that made it.
pub type Action = Arc<dyn Fn() + Send + Sync>;

/// A short message that goes away by itself or is answered.
#[derive(Clone)]
pub struct Toast {
    pub id: u64,
    pub text: String,
    pub action: Option<(Text, Action)>,
}

/// Everything that the views read; copied freely.
#[derive(Clone, Copy)]
pub struct Page {
    pub lang: RwSignal<Lang>,
    pub theme: RwSignal<Theme>,
    /// None until the worker has answered.
    pub device: RwSignal<Option<DeviceReport>>,
    pub storage: RwSignal<Option<StorageReport>>,
    /// `navigator.deviceMemory` in bytes.
    pub memory_bytes: Option<u64>,
    pub catalogue: RwSignal<Catalogue>,
    pub models: RwSignal<BTreeMap<String, ModelState>>,
    /// What the server computes for this page.
    pub offer: RwSignal<Offer>,
    /// Collections of documents that may be asked.
    pub collections: RwSignal<Vec<Collection>>,
    /// Tools that answers may call, of the device and of the server.
    pub tools: RwSignal<Vec<Offered>>,
    /// Assistants that the person may use; none: nobody is signed in, or nothing is known.
    /// What the house announces here, without what was closed.
    pub announcements: RwSignal<Vec<Announcement>>,
    pub assistants: RwSignal<Option<Arc<Vec<Assistant>>>>,
    /// Grows when the person chooses where answers are computed or what they rest on.
    pub place_version: RwSignal<u64>,
    /// The model that answers: the person's choice, else one that stands on the GPU already.
    pub chosen: RwSignal<Option<String>>,
    /// The conversation that is shown; none: a new one.
    pub open: RwSignal<Option<Uuid>>,
    /// The documents are shown instead of a conversation.
    pub shows_library: RwSignal<bool>,
    /// Signing in, the account or the house's people are.
    pub shows_people: RwSignal<bool>,
    /// What stands over these views.
    pub people_title: RwSignal<Text>,
    /// Name of who is signed in.
    pub person: RwSignal<Option<String>>,
    /// Who administers the house is.
    pub is_admin: RwSignal<bool>,
    /// Models that may run on this device by the house's rules; none: all.
    pub device_models: RwSignal<Option<Vec<String>>>,
    /// Tokens of models on this device are counted by the house.
    pub counts_device_use: RwSignal<bool>,
    pub look: RwSignal<Look>,
    /// Grows with each operation.
    pub log_version: RwSignal<u64>,
    /// The log has been read.
    pub log_ready: RwSignal<bool>,
    /// The browser refuses storage for conversations.
    pub log_in_memory: RwSignal<bool>,
    pub save_error: RwSignal<Option<String>>,
    pub thread: Memo<Arc<Thread>>,
    /// Files that stand in composers.
    pub attached: RwSignal<Vec<Attached>>,
    /// How files of messages are on their way.
    pub transfers: RwSignal<Transfers>,
    /// Answers that are being written in this tab, by message.
    pub live: RwSignal<BTreeMap<Uuid, LiveInfo>>,
    /// Answers that another tab is writing.
    pub elsewhere: RwSignal<BTreeSet<Uuid>>,
    /// Answers that another device is writing.
    pub remote: RwSignal<BTreeSet<Uuid>>,
    /// How it stands with the person's other devices; none: nobody asked.
    pub sync: RwSignal<Option<SyncState>>,
    /// How far an import of conversations is; none: there was none yet.
    pub import: RwSignal<Option<Progress>>,
    pub dialog: RwSignal<Option<Dialog>>,
    /// The sidebar is open on a narrow screen.
    pub drawer: RwSignal<bool>,
    pub toasts: RwSignal<Vec<Toast>>,
    pub online: RwSignal<bool>,
    pub device_lost: RwSignal<Option<ApiError>>,
    pub worker_error: RwSignal<Option<String>>,
    /// What the screen reader is told next.
    pub announcement: RwSignal<String>,
}

impl Page {
    pub fn new(lang: Lang, memory_bytes: Option<u64>) -> Self {
        let open = RwSignal::new(None);
        let log_version = RwSignal::new(0);
        let thread = Memo::new(move |_| {
            log_version.track();
            Arc::new(open.get().map(crate::log::thread).unwrap_or_default())
        });
        Self {
            lang: RwSignal::new(lang),
            theme: RwSignal::new(Theme::from_name(&prefs::get("theme").unwrap_or_default())),
            device: RwSignal::new(None),
            storage: RwSignal::new(None),
            memory_bytes,
            catalogue: RwSignal::new(Catalogue::Loading),
            models: RwSignal::new(BTreeMap::new()),
            offer: RwSignal::new(Offer::Asking),
            collections: RwSignal::new(Vec::new()),
            tools: RwSignal::new(of_device()),
            announcements: RwSignal::new(Vec::new()),
            assistants: RwSignal::new(None),
            place_version: RwSignal::new(0),
            chosen: RwSignal::new(prefs::get("model")),
            open,
            shows_library: RwSignal::new(false),
            shows_people: RwSignal::new(false),
            people_title: RwSignal::new(Text::Account),
            person: RwSignal::new(None),
            is_admin: RwSignal::new(false),
            device_models: RwSignal::new(crate::session::device_models()),
            counts_device_use: RwSignal::new(false),
            look: RwSignal::new(Look::kept()),
            log_version,
            log_ready: RwSignal::new(false),
            log_in_memory: RwSignal::new(false),
            save_error: RwSignal::new(None),
            thread,
            attached: RwSignal::new(Vec::new()),
            transfers: RwSignal::default(),
            live: RwSignal::new(BTreeMap::new()),
            elsewhere: RwSignal::new(BTreeSet::new()),
            remote: RwSignal::new(BTreeSet::new()),
            sync: RwSignal::new(None),
            import: RwSignal::new(None),
            dialog: RwSignal::new(None),
            drawer: RwSignal::new(false),
            toasts: RwSignal::new(Vec::new()),
            online: RwSignal::new(true),
            device_lost: RwSignal::new(None),
            worker_error: RwSignal::new(None),
            announcement: RwSignal::new(String::new()),
        }
    }

    /// Whether a conversation is shown, and no other view.
    pub fn shows_chat(self) -> bool {
        !self.shows_library.get() && !self.shows_people.get()
    }

    /// A sentence in the page's language, for a view.
    pub fn t(self, text: Text) -> impl Fn() -> &'static str + Copy + Send + Sync + 'static {
        move || text.get(self.lang.get())
    }

    /// A sentence in the page's language now.
    pub fn say(self, text: Text) -> &'static str {
        text.get(self.lang.get_untracked())
    }

    /// A catalogue entry.
    pub fn model(self, id: &str) -> Option<Arc<ModelView>> {
        self.catalogue.with(|catalogue| match catalogue {
            Catalogue::Loaded { models, .. } => {
                models.iter().find(|model| model.model.id == id).cloned()
            }
            _ => None,
        })
    }

    /// A model's name for people; its id where the catalogue does not know it.
    pub fn model_name(self, id: &str) -> String {
        self.model(id).map_or_else(|| id.to_owned(), |model| model.model.name.clone())
    }

    /// The name as it is now, outside of views.
    pub fn model_name_now(self, id: &str) -> String {
        untrack(|| self.model_name(id))
    }

    /// Whether an answer is being written here now, outside of views.
    pub fn is_writing_now(self) -> bool {
        untrack(|| self.live_here()).is_some()
    }

    pub fn model_state(self, id: &str) -> Option<ModelState> {
        self.models.with(|models| models.get(id).cloned())
    }

    /// The chosen model, or else the one that the portal offers first.
    pub fn offered_model(self) -> Option<Arc<ModelView>> {
        let chosen = self.chosen.get().and_then(|id| self.model(&id));
        chosen.or_else(|| {
            self.catalogue.with(|catalogue| match catalogue {
                Catalogue::Loaded { models, default_model } => default_model
                    .as_ref()
                    .and_then(|id| models.iter().find(|model| model.model.id == *id))
                    .cloned(),
                _ => None,
            })
        })
    }

    /// Whether and why (not) this device runs `model`.
    pub fn fit(self, model: &ModelView) -> Fit {
        let facts = DeviceFacts {
            webgpu: self.device.with(|device| device.as_ref().map(|d| d.error.is_none())),
            memory_bytes: self.memory_bytes,
            free_storage_bytes: self.storage.with(|storage| {
                let storage = storage.as_ref().filter(|s| s.quota_bytes > 0)?;
                Some(storage.quota_bytes.saturating_sub(storage.used_bytes))
            }),
        };
        let on_device = matches!(
            self.model_state(&model.model.id),
            Some(
                ModelState::Cached
                    | ModelState::Uploading { .. }
                    | ModelState::Warming
                    | ModelState::Ready { .. }
            )
        );
        let id = &model.model.id;
        let may_run =
            self.device_models.with(|may| may.as_ref().is_none_or(|may| may.contains(id)));
        fit(model, facts, on_device).if_allowed(may_run)
    }

    pub fn is_ready(self, model: &str) -> bool {
        self.models.with(|models| matches!(models.get(model), Some(ModelState::Ready { .. })))
    }

    /// The answer that is being written in the open conversation.
    /// As the house calls itself.
    pub fn house(self) -> String {
        self.look.with(|look| look.name.clone()).unwrap_or_else(|| "Portico".to_owned())
    }

    pub fn live_here(self) -> Option<Uuid> {
        let open = self.open.get()?;
        self.live
            .with(|live| live.iter().find(|(_, info)| info.conversation == open).map(|(&id, _)| id))
    }

    pub fn toast(self, text: impl Into<String>) {
        self.push_toast(text.into(), None, false);
    }

    pub fn toast_with(self, text: String, label: Text, action: Action) {
        self.push_toast(text, Some((label, action)), false);
    }

    /// Asks until it is answered.
    pub fn ask(self, text: String, label: Text, action: Action) {
        self.push_toast(text, Some((label, action)), true);
    }

    fn push_toast(self, text: String, action: Option<(Text, Action)>, stays: bool) {
        let id = crate::browser::new_id().as_u128() as u64;
        // An undo needs time to be found.
        let ms = if action.is_some() { 10_000 } else { 5_000 };
        self.toasts.update(|toasts| {
            toasts.retain(|toast| toast.text != text);
            toasts.push(Toast { id, text, action });
        });
        if !stays {
            crate::browser::after_ms(ms, move || self.drop_toast(id));
        }
    }

    pub fn drop_toast(self, id: u64) {
        self.toasts.update(|toasts| toasts.retain(|toast| toast.id != id));
    }
}
