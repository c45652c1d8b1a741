//! Which browser on which system calls itself so? For people who look at where they are signed in.

/// The browser and the system; none of what is not known. Who pretends to be another comes first: Edge says
/// that it is Chrome, and Chrome that it is Safari.
pub fn names(agent: &str) -> (Option<&'static str>, Option<&'static str>) {
    const BROWSERS: [(&str, &str); 8] = [
        ("Edg", "Edge"),
        ("OPR/", "Opera"),
        ("SamsungBrowser/", "Samsung Internet"),
        ("Firefox/", "Firefox"),
        ("FxiOS/", "Firefox"),
        ("CriOS/", "Chrome"),
        ("Chrome/", "Chrome"),
        ("Safari/", "Safari"),
    ];
    const SYSTEMS: [(&str, &str); 7] = [
        ("Windows", "Windows"),
        ("Android", "Android"),
        ("iPhone", "iOS"),
        ("iPad", "iPadOS"),
        ("Mac OS X", "macOS"),
        ("CrOS", "ChromeOS"),
        ("Linux", "Linux"),
    ];
    let find = |known: &[(&str, &'static str)]| {
        known.iter().find(|(sign, _)| agent.contains(sign)).map(|(_, name)| *name)
    };
    (find(&BROWSERS), find(&SYSTEMS))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn browsers_are_known_by_what_they_call_themselves() {
        #[track_caller]
        fn check(agent: &str, browser: &str, system: &str) {
            assert_eq!(names(agent), (Some(browser), Some(system)), "{agent}");
        }
        let windows = "Mozilla/5.0 (Windows NT 10.0; Win64; x64)";
        let webkit = "AppleWebKit/537.36 (KHTML, like Gecko)";
        check(&format!("{windows} {webkit} Chrome/140.0.0.0 Safari/537.36"), "Chrome", "Windows");
        check(
            &format!("{windows} {webkit} Chrome/140.0.0.0 Safari/537.36 Edg/140.0.0.0"),
            "Edge",
            "Windows",
        );
        check(
            "Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0",
            "Firefox",
            "Linux",
        );
        check(
            "Mozilla/5.0 (iPhone; CPU iPhone OS 18_0 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko) Version/18.0 Mobile/15E148 Safari/604.1",
            "Safari",
            "iOS",
        );
        check(
            &format!(
                "Mozilla/5.0 (Linux; Android 15; Pixel 9) {webkit} Chrome/140.0.0.0 Mobile Safari/537.36"
            ),
            "Chrome",
            "Android",
        );
        assert_eq!(names("curl/8.5.0"), (None, None));
    }
}
