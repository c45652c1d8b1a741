//! The page's logic that needs no browser, so that it is tested natively: texts and formats in both
//! languages, Markdown, what a device can run, where a conversation's address leads.

pub mod announce;
pub mod assistants;
pub mod cite;
pub mod fit;
pub mod format;
pub mod i18n;
pub mod markdown;
pub mod route;
pub mod sending;
pub mod title;
pub mod tools;
pub mod window;
