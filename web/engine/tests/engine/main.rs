//! The engine on a real adapter (the one that `VK_DRIVER_FILES` names): kernels against their
//! twins, what a token costs, and what happens at the ends.

mod budget;
mod common;
mod kernels;
mod linear_shapes;
mod recovery;
