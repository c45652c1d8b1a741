//! Who may do what with the house's documents?
//!
//! A caller has groups; a collection gives a group a right. Which collections that comes to is one
//! query ([`Rights::collections`]), and its ids go into every search: access is inside the question,
//! never a filter after it. How a caller comes by its groups only the gateway's access knows.

mod rights;

pub(crate) use rights::enough;
pub use rights::{EVERYONE, Right, Rights, is_group_name};
