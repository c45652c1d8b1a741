//! What do the workers of a profile say to each other over their `BroadcastChannel`?
//!
//! Every message names the leadership it belongs to. A leader that died leaves messages behind that
//! may arrive late; whoever reads them sees that their time is over.

use serde::{Deserialize, Serialize};

use crate::protocol::{FromWorker, ToWorker};

/// Names a tab's worker; made at random when it starts.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct TabId(pub String);

/// Names one leadership; made at random when a worker gets the lock.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct LeaderId(pub String);

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum BusMessage {
    /// A new tab: who leads? A leader answers with [`BusMessage::Announce`].
    Seek,
    /// This worker leads. Sent once on taking over and once for each [`BusMessage::Seek`].
    Announce { leader: LeaderId },
    /// From a follower to the leader that it knows.
    Up { tab: TabId, leader: LeaderId, message: Box<ToWorker> },
    /// From the leader to one follower, or to all.
    Down { leader: LeaderId, to: Option<TabId>, message: Box<FromWorker> },
}
