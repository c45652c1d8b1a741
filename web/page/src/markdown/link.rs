//! Which addresses may an answer link to?

/// What a link or an image in an answer becomes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum LinkTarget {
    /// An absolute address with an allowed scheme.
    Allowed(String),
    /// Anything else (scripts, data, relative paths into the portal): shown as text.
    Refused,
}

const SCHEMES: [&str; 3] = ["http", "https", "mailto"];

/// Judges an address as it stands in Markdown. Browsers drop tabs and line breaks inside a scheme
/// and leading control characters, so any of these refuses the address.
pub fn link_target(url: &str) -> LinkTarget {
    let url = url.trim_matches(' ');
    if url.chars().any(|c| c.is_control() || c.is_whitespace()) {
        return LinkTarget::Refused;
    }
    match url.split_once(':') {
        Some((scheme, rest))
            if !rest.is_empty() && SCHEMES.iter().any(|s| scheme.eq_ignore_ascii_case(s)) =>
        {
            LinkTarget::Allowed(url.to_owned())
        }
        _ => LinkTarget::Refused,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lets_through_web_and_mail_addresses_only() {
        for url in ["https://example.org/a?b#c", "HTTP://x", "mailto:a@b.c"] {
            assert_eq!(link_target(url), LinkTarget::Allowed(url.into()), "{url}");
        }
        for url in [
            "javascript:alert(1)",
            "JavaScript:alert(1)",
            "java\tscript:alert(1)",
            "\u{1}javascript:alert(1)",
            "data:text/html,x",
            "vbscript:x",
            "file:///etc/passwd",
            "blob:https://x/y",
            "//evil.example",
            "/api/logout",
            "https:",
            "a b:c",
            "",
        ] {
            assert_eq!(link_target(url), LinkTarget::Refused, "{url:?}");
        }
    }
}
