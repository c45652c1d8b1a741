//! Which operations of the device's store go to the server? What was written here; after the server's log
//! began anew also what had come from there, for what a device that is gone wrote may be nowhere else.

use std::collections::HashMap;

use serde::Deserialize;
use uuid::Uuid;

/// What of an operation matters to who only carries it.
#[derive(Clone, Copy, Debug, Deserialize)]
pub struct Brief {
    pub conversation: Option<Uuid>,
    pub message: Option<Uuid>,
}

impl Brief {
    pub fn read(json: &str) -> Option<Self> {
        serde_json::from_str(json).ok()
    }
}

/// Which conversation each message belongs to, as far as it was seen: an operation on a message alone does
/// not say it.
#[derive(Debug, Default)]
pub struct Places(HashMap<Uuid, Uuid>);

impl Places {
    pub fn note(&mut self, brief: Brief) {
        if let (Some(conversation), Some(message)) = (brief.conversation, brief.message) {
            self.0.insert(message, conversation);
        }
    }

    /// The conversation that an operation belongs to.
    pub fn of(&self, brief: Brief) -> Option<Uuid> {
        brief.conversation.or_else(|| self.0.get(&brief.message?).copied())
    }
}

/// Where an operation came from.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Origin {
    Here,
    Server,
}

/// Whether an operation is sent. `place`: its conversation, as far as it is known; `is_anew`: the server's
/// log began anew.
pub fn is_sent(
    origin: Origin,
    brief: Option<Brief>,
    place: Option<Uuid>,
    is_anew: bool,
    is_held: impl Fn(Uuid) -> bool,
) -> bool {
    match (origin, place) {
        (Origin::Server, _) if !is_anew => false,
        (_, Some(place)) => !is_held(place),
        (Origin::Here, None) => true,
        // One on a message whose conversation is not known may belong to one that is held.
        (Origin::Server, None) => brief.is_some_and(|brief| brief.message.is_none()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn id(n: u128) -> Uuid {
        Uuid::from_u128(n)
    }

    #[test]
    fn what_came_is_sent_only_anew_and_never_where_its_conversation_is_held_or_unknown() {
        let (open, held) = (id(1), id(2));
        let add = |conversation, message| Brief {
            conversation: Some(conversation),
            message: Some(message),
        };
        let write = |message| Brief { conversation: None, message: Some(message) };
        let mut places = Places::default();
        places.note(add(open, id(10)));
        places.note(add(held, id(20)));
        places.note(write(id(30)));
        let sent = |origin, brief: Brief, is_anew| {
            let place = places.of(brief);
            is_sent(origin, Some(brief), place, is_anew, |place| place == held)
        };
        for origin in [Origin::Here, Origin::Server] {
            for (brief, is_open) in [
                (add(open, id(11)), true),
                (write(id(10)), true),
                (add(held, id(21)), false),
                (write(id(20)), false),
            ] {
                assert_eq!(sent(origin, brief, true), is_open, "{origin:?} {brief:?}");
            }
        }
        assert!(!sent(Origin::Server, add(open, id(11)), false), "the server has it");
        assert!(!sent(Origin::Server, write(id(30)), true), "nobody knows of which one it is");
        assert!(sent(Origin::Here, write(id(30)), false));
        let of_none = Brief { conversation: None, message: None };
        assert!(sent(Origin::Server, of_none, true));
        assert!(!is_sent(Origin::Server, None, None, true, |_| false), "it is no operation");
    }
}
