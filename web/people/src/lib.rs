//! What the views of signing in, of one's account and of the house's administration decide, without a
//! browser, so that it is tested natively.
//!
//! - [`address`], [`place`]: where an address leads; [`texts`]: every sentence;
//! - [`entry`]: what is wrong with what was written into a form;
//! - [`rules`]: what house and groups say, as the server has it and as a form has it;
//! - [`effect`]: what that comes to for one person, and who says so;
//! - [`audit`], [`oidc`]: filters of the log, and rules for a sign-in service;
//! - [`models`]: the house's models, and how they are told of;
//! - [`prompt`]: what a prompt asks for, how it is found, read from and written to files;
//! - [`usage`], [`devices`], [`overview`]: what was used and what that comes to, what devices can do, what needs
//!   looking after; [`plot`], [`calendar`]: where a plot's bars stand, and for which days;
//! - [`agent`]: what a browser that is signed in is called; [`strength`]: how hard a passphrase is to guess.

pub mod address;
pub mod agent;
pub mod audit;
pub mod calendar;
pub mod devices;
pub mod effect;
pub mod entry;
pub mod models;
pub mod oidc;
pub mod overview;
pub mod place;
pub mod plot;
pub mod prompt;
pub mod rules;
pub mod strength;
pub mod texts;
pub mod usage;
