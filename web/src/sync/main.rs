//! Keeps this profile's conversations and those of the person's other devices the same. A Wasm of its
//! own, fetched by the page when somebody is signed in; of all tabs one does it.
//!
//! - [`net`]: the server's routes; [`push`], [`pull`]: what goes there and what comes;
//! - [`seal`]: what of it the server can read; [`file_seal`]: the same of files, for `attachment_files.js`;
//! - [`plain_files`]: files that lie there from before the log was encrypted;
//! - [`account`]: whose conversations these are; [`work`]: when what is done.

mod account;
mod file_seal;
mod net;
mod plain_files;
mod pull;
mod push;
mod seal;
mod work;

fn main() {
    std::panic::set_hook(Box::new(|panic| {
        web_sys::console::error_1(&format!("portico: {panic}").into());
    }));
    wasm_bindgen_futures::spawn_local(work::run());
}
