//! The worker of a tab: between its page and the one engine of the profile, which it may own.
//!
//! [`tab`] carries messages; [`leader`] is there in the worker that leads; [`store`] keeps weights;
//! [`js`] gives the browser types.

mod js;
mod leader;
mod store;
mod tab;

use portico_web::protocol;

fn main() {
    std::panic::set_hook(Box::new(|info| js::scope::crash(&info.to_string())));
    tab::start();
}
