//! What does a site's `robots.txt` allow? (RFC 9309)

use std::time::Duration;

/// By which a crawl is called there.
pub const AGENT: &str = "portico";

const BYTES_MAX: usize = 512 << 10;
const LONGEST_DELAY: Duration = Duration::from_secs(30);

/// Rules of one host for this crawler.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Robots {
    /// Pattern, and whether it allows.
    rules: Vec<(String, bool)>,
    /// Between two requests.
    pub delay: Option<Duration>,
}

impl Robots {
    /// Nothing may be fetched: what cannot be read may forbid it.
    pub fn closed() -> Self {
        Self { rules: vec![("/".to_owned(), false)], delay: None }
    }

    /// The group for this crawler, else the one for all.
    pub fn parse(text: &str) -> Self {
        let text = &text[..text.floor_char_boundary(BYTES_MAX)];
        let (mut own, mut any) = (Self::default(), Self::default());
        let (mut has_own, mut in_names) = (false, false);
        let (mut is_own, mut is_any) = (false, false);
        for line in text.lines() {
            let line = line.split('#').next().unwrap_or_default();
            let Some((key, value)) = line.split_once(':') else { continue };
            let (key, value) = (key.trim().to_ascii_lowercase(), value.trim());
            if key == "user-agent" {
                if !in_names {
                    (is_own, is_any) = (false, false);
                }
                in_names = true;
                is_own |= value.eq_ignore_ascii_case(AGENT);
                is_any |= value == "*";
                has_own |= is_own;
                continue;
            }
            in_names = false;
            for (robots, _) in
                [(&mut own, is_own), (&mut any, is_any)].into_iter().filter(|it| it.1)
            {
                robots.rule(&key, value);
            }
        }
        if has_own { own } else { any }
    }

    fn rule(&mut self, key: &str, value: &str) {
        match key {
            // Without a value it forbids nothing.
            "allow" | "disallow" if !value.is_empty() => {
                self.rules.push((value.to_owned(), key == "allow"));
            }
            "crawl-delay" => {
                let seconds = value.parse::<f64>().ok().filter(|s| s.is_finite() && *s >= 0.0);
                self.delay =
                    seconds.map(|s| Duration::from_secs_f64(s.min(LONGEST_DELAY.as_secs_f64())));
            }
            _ => {}
        }
    }

    /// Whether a path with its query may be fetched: the longest rule that fits decides, of equals the
    /// one that allows.
    pub fn allows(&self, path: &str) -> bool {
        let fitting = self.rules.iter().filter(|(pattern, _)| fits(pattern, path));
        let longest = fitting.max_by_key(|(pattern, allows)| (pattern.len(), *allows));
        longest.is_none_or(|(_, allows)| *allows)
    }
}

/// `*` stands for anything, `$` at the end for the path's end.
fn fits(pattern: &str, path: &str) -> bool {
    let (pattern, is_whole) = match pattern.strip_suffix('$') {
        Some(pattern) => (pattern, true),
        None => (pattern, false),
    };
    let mut parts = pattern.split('*');
    let first = parts.next().unwrap_or_default();
    let Some(mut rest) = path.strip_prefix(first) else { return false };
    let parts: Vec<&str> = parts.collect();
    for (i, part) in parts.iter().enumerate() {
        if is_whole && i + 1 == parts.len() {
            return rest.ends_with(part);
        }
        match rest.find(part) {
            Some(at) => rest = &rest[at + part.len()..],
            None => return false,
        }
    }
    !is_whole || rest.is_empty()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_longest_rule_decides() {
        let robots = Robots::parse(
            "User-agent: other\nDisallow: /\n\nUser-agent: *\nDisallow: /private\n\
             Allow: /private/open # but this\nDisallow: /*.gif$\nDisallow: /a*b\nCrawl-delay: 2\n",
        );
        for (path, expected) in [
            ("/", true),
            ("/private/x", false),
            ("/private/open/x", true),
            ("/x.gif", false),
            ("/x.gif?a", true),
            ("/aXb/c", false),
            ("/aX", true),
        ] {
            assert_eq!(robots.allows(path), expected, "{path}");
        }
        assert_eq!(robots.delay, Some(Duration::from_secs(2)));
        assert!(!Robots::closed().allows("/x"));
    }

    #[test]
    fn a_group_of_its_own_stands_instead_of_that_for_all() {
        let text =
            "User-agent: *\nDisallow: /\nUser-agent: x\nUser-agent: Portico\nDisallow: /no\n";
        let robots = Robots::parse(text);
        assert!(robots.allows("/yes") && !robots.allows("/no"));
        assert!(Robots::parse("User-agent: *\nDisallow:\n").allows("/x"));
        assert!(Robots::parse("nonsense\0\u{fffd}:::").allows("/x"));
    }
}
