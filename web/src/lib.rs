//! What the page (bin `app`) and the engine's worker (bin `worker`) share.

pub mod protocol;
