//! Who may do what?
//!
//! A caller has groups; a collection gives a group a right. Which collections that comes to is one
//! query ([`Rights::collections`]), and its ids go into every search: access is inside the question,
//! never a filter after it. How a caller comes by its groups only the gateway's access knows.

mod book;
mod id;
mod rights;
mod secret;
mod session;
mod store;

pub use book::{People, SignedIn};
pub use id::{PersonId, Role};
pub(crate) use rights::enough;
pub use rights::{EVERYONE, Right, Rights, is_group_name};
pub use session::{External, cookie_of};
pub use store::{NewPerson, Person};
