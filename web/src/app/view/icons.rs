//! The page's icons: strokes on a grid of 24.

use leptos::prelude::*;

pub const MENU: &str = "M4 7h16M4 12h16M4 17h16";
pub const PLUS: &str = "M12 5v14M5 12h14";
pub const SEARCH: &str = "M11 18a7 7 0 1 0 0-14 7 7 0 0 0 0 14ZM20 20l-4-4";
pub const PIN: &str = "M9 4h6l-1 6 4 4H6l4-4-1-6ZM12 14v6";
pub const PENCIL: &str = "M4 20h4L19 9l-4-4L4 16v4ZM13 7l4 4";
pub const TRASH: &str = "M5 7h14M10 7V4h4v3M7 7l1 13h8l1-13M10 11v6M14 11v6";
pub const TAG: &str = "M4 4h8l8 8-8 8-8-8V4ZM8 8v.01";
pub const COLUMNS: &str = "M4 5h7v14H4zM13 5h7v14h-7z";
pub const GEAR: &str = "M4 8h9M19 8h1M16 5v6M4 16h1M11 16h9M8 13v6";
pub const PAPERS: &str = "M8 3h8l4 4v11H8zM16 3v4h4M4 7v14h12";
pub const CHIP: &str =
    "M7 7h10v10H7zM10 10h4v4h-4zM9 3v4M15 3v4M9 17v4M15 17v4M3 9h4M3 15h4M17 9h4M17 15h4";
pub const CLIP: &str = "M8 12.5 14.5 6a3 3 0 0 1 4.2 4.2l-8.3 8.3a5 5 0 0 1-7-7L11 4";
pub const PERSON: &str = "M12 12a4 4 0 1 0 0-8 4 4 0 0 0 0 8ZM4.5 20a7.5 7.5 0 0 1 15 0";
pub const SEND: &str = "M12 20V5M6 11l6-6 6 6";
pub const STOP: &str = "M7 7h10v10H7z";
pub const COPY: &str = "M9 9h11v11H9zM5 15H4V4h11v1";
pub const CHECK: &str = "M5 13l4 4L19 7";
pub const REDO: &str = "M20 5v5h-5M19.5 10A8 8 0 1 0 20 14";
pub const LEFT: &str = "M14 6l-6 6 6 6";
pub const RIGHT: &str = "M10 6l6 6-6 6";
pub const UP: &str = "M6 14l6-6 6 6";
pub const DOWN: &str = "M6 10l6 6 6-6";
pub const CLOSE: &str = "M6 6l12 12M18 6L6 18";
pub const PLAY: &str = "M8 5l11 7-11 7z";
pub const WARN: &str = "M12 4 2.5 20h19L12 4ZM12 10v5M12 17.5v.5";
pub const INFO: &str = "M12 21a9 9 0 1 0 0-18 9 9 0 0 0 0 18ZM12 11v5M12 7.5v.5";
pub const SERVER: &str = "M4 5h16v6H4zM4 13h16v6H4zM8 8v.01M8 16v.01";
pub const DOCUMENT: &str = "M6 3h8l4 4v14H6zM14 3v4h4M9 12h6M9 16h6";
pub const DOWNLOAD: &str = "M12 4v11M7 11l5 5 5-5M5 20h14";
pub const CLOUD_OFF: &str =
    "M7 18h10a4 4 0 0 0 1-7.9A6 6 0 0 0 8 7M5.5 10A4 4 0 0 0 7 18M4 4l16 16";

/// A decorative icon: what it stands beside or on has a name of its own.
pub fn icon(path: &'static str) -> impl IntoView {
    view! {
        <svg class="icon" viewBox="0 0 24 24" aria-hidden="true">
            <path d=path></path>
        </svg>
    }
}

/// The portal's sign.
pub fn logo() -> impl IntoView {
    view! {
        <svg class="logo" viewBox="0 0 64 64" aria-hidden="true">
            <path d="M12 26 32 13l20 13zM19 33v14M32 33v14M45 33v14M12 53h40"></path>
        </svg>
    }
}
