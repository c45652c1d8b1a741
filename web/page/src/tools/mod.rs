//! How does an answer come about that calls tools? The model asks for calls, each is confirmed where it
//! must be, runs, and its result goes back to the model, until it answers in words. The same on the device
//! and on the server: [`Turn`] decides what is next, and whoever holds it does it.

mod cut;
mod offer;
mod prompt;
mod turn;

pub use cut::cut;
pub use offer::{Confirm, Offered, Where, of_device, of_server};
pub use prompt::append;
pub use turn::{CALLS_MAX, Next, Outcome, ROUNDS_MAX, Turn};
