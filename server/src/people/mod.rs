//! Who may do what?
//!
//! People sign in (`accounts`, `session`) and open links (`links`); administrators decide about them
//! (`manage`) and about the rules (`policy`). What was done stands in the `audit` log, without a word
//! of what was said; `privacy` gives a person what is known of them, and forgets it.
//!
//! A caller has groups; a collection gives a group a right. Which collections that comes to is one
//! query ([`Rights::collections`]), and its ids go into every search: access is inside the question,
//! never a filter after it. How a caller comes by its groups only the gateway's access knows.

mod accounts;
mod api;
mod attempts;
pub mod audit;
mod book;
mod id;
mod limits;
mod links;
mod look;
mod manage;
mod oidc;
mod password;
mod policy;
mod privacy;
mod retention;
mod rights;
mod scopes;
mod secret;
mod session;
mod storage;
mod store;
#[doc(hidden)]
pub mod totp;

pub use accounts::{OpenLink, SignIn};
pub use api::{link_address, router};
pub use book::{People, SignedIn, admin_link};
pub use id::{PersonId, Role};
pub use links::{Link, LinkKind, NewLink};
pub use manage::{Group, PersonChange, check_groups};
pub use oidc::{Oidc, OidcRules};
pub use policy::{Guests, House, Limit, May, Rules, Unlimited};
pub(crate) use rights::enough;
pub use rights::{EVERYONE, Right, Rights, is_group_name};
pub use scopes::Scope;
pub use session::{External, cookie_for, cookie_of};
pub(crate) use storage::stored_bytes;
pub(crate) use store::invalid;
pub use store::{NewPerson, Person};
