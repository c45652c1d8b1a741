//! What the way in (bin `xtask`) and the verbs (bin `xtask-verbs`) share; std only, so that the way
//! in is built in seconds by whatever toolchain is there.

pub mod checkout;
pub mod places;
pub mod selection;
pub mod step;
pub mod toolchain;
