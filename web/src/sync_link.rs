//! What do the page (bin `app`) and who syncs (bin `sync`) say to each other? Over a channel that all
//! tabs of the profile share, for one of them syncs for all. What devices that ask to be let in, and those that
//! let them in, say to each other (`portico_shared::sync::wire::Signal`) goes over it as it came, to bin `people`.

use portico_shared::error::ApiError;
use serde::{Deserialize, Serialize};
use uuid::Uuid;
use wasm_bindgen::prelude::*;
use web_sys::{BroadcastChannel, MessageEvent};

/// Says that there is something new in the store of operations.
pub const LOG_CHANNEL: &str = "portico-log";
const CHANNEL: &str = "portico-sync";

/// Conversations whose operations are not sent yet that are named; the rest is counted.
pub const NAMED_MAX: usize = 200;

#[derive(Clone, Debug, Serialize, Deserialize)]
pub enum ToSync {
    /// How does it stand?
    Ask,
    /// What becomes of the conversations that were here before: sent, or kept here.
    Decide { sends: bool },
    /// The messages of this conversation are wanted before others.
    Open { conversation: Uuid },
    /// Whichever device writes this answer is to stop.
    Stop { message: Uuid },
    /// Somebody signed in or out.
    Session,
}

#[derive(Clone, Debug, Serialize, Deserialize)]
pub enum FromSync {
    State(SyncState),
    /// Another device says so.
    Stop {
        message: Uuid,
    },
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct SyncState {
    pub standing: Standing,
    /// Operations that are here only.
    pub n_waiting: usize,
    /// Their conversations, at most [`NAMED_MAX`].
    pub waiting: Vec<Uuid>,
    /// Conversations that stay here.
    pub held: Vec<Uuid>,
    /// Conversations of which the person has not said whether they are to be sent.
    pub n_undecided: usize,
    /// Of operations that the server did not take.
    pub refused: Option<ApiError>,
    /// A locked device of the person's asks for the key that this one has.
    #[serde(default)]
    pub is_asked: bool,
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub enum Standing {
    /// Nobody is signed in: all stays here.
    SignedOut,
    /// It goes back and forth.
    Working,
    /// What is not held is on the server, and what is there is here.
    Synced,
    /// The server cannot be reached.
    Offline,
    /// The log is encrypted, and this device does not have its key: nothing goes back and forth.
    Locked,
    /// The log was encrypted and is no longer, of which the person knows nothing yet: nothing goes either.
    Unsealed,
    Failed(ApiError),
}

/// This tab's end of the channel.
#[derive(Clone)]
pub struct Channel(BroadcastChannel);

impl Channel {
    /// None where the browser has no such channels.
    pub fn open() -> Option<Self> {
        BroadcastChannel::new(CHANNEL).ok().map(Self)
    }

    pub fn say(&self, message: &impl Serialize) {
        // What cannot be told now is told when it is asked for.
        if let Ok(json) = serde_json::to_string(message) {
            self.0.post_message(&JsValue::from_str(&json)).ok();
        }
    }

    /// Hears what others say, as long as the tab lives; what is not meant for it is passed over.
    pub fn listen<T: for<'de> Deserialize<'de>>(&self, mut hear: impl FnMut(T) + 'static) {
        let on_message = Closure::<dyn FnMut(MessageEvent)>::new(move |event: MessageEvent| {
            let json = event.data().as_string().unwrap_or_default();
            if let Ok(message) = serde_json::from_str(&json) {
                hear(message);
            }
        });
        self.0.set_onmessage(Some(on_message.as_ref().unchecked_ref()));
        on_message.forget();
    }
}
