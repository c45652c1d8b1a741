//! How do the tabs of a profile share one engine, and who answers when a tab dies?
//!
//! Pure bookkeeping, without browser types, so that it is tested natively: [`client`] is one tab's
//! view (what is asked and not yet answered), [`queue`] is the leader's (who waits, who runs),
//! [`bus`] is what tabs say to each other, [`batch`] joins deltas so that the page is not woken for
//! each token. `web/src/worker` puts them on `postMessage`, `BroadcastChannel` and Web Locks.

pub mod batch;
pub mod bus;
pub mod client;
pub mod protocol;
pub mod queue;
