//! What does the page say, in which language?
//!
//! [`Text`] has a variant for each sentence; the table that makes it asks for both languages, so a
//! missing translation does not compile.

mod table;

pub use portico_shared::error::Lang;
pub use table::Text;

impl Text {
    /// The sentence with `{name}`s filled in.
    pub fn fill(self, lang: Lang, values: &[(&str, &str)]) -> String {
        let mut text = self.get(lang).to_owned();
        for (name, value) in values {
            text = text.replace(&format!("{{{name}}}"), value);
        }
        text
    }
}

/// The language's code for `lang` attributes.
pub fn code(lang: Lang) -> &'static str {
    match lang {
        Lang::De => "de",
        Lang::En => "en",
    }
}

/// `de`, `de-AT`, `EN_us` → the language, if the page speaks it.
pub fn lang_from_tag(tag: &str) -> Option<Lang> {
    match tag.split(['-', '_']).next()?.to_ascii_lowercase().as_str() {
        "de" => Some(Lang::De),
        "en" => Some(Lang::En),
        _ => None,
    }
}

/// The first of the browser's languages that the page speaks, else English.
pub fn preferred<'a>(tags: impl IntoIterator<Item = &'a str>) -> Lang {
    tags.into_iter().find_map(lang_from_tag).unwrap_or(Lang::En)
}

/// A language's name in `lang`, for the codes that a catalogue uses; else the code itself.
pub fn language_name(lang: Lang, code: &str) -> String {
    const NAMES: [(&str, &str, &str); 24] = [
        ("ar", "Arabic", "Arabisch"),
        ("cs", "Czech", "Tschechisch"),
        ("da", "Danish", "Dänisch"),
        ("de", "German", "Deutsch"),
        ("el", "Greek", "Griechisch"),
        ("en", "English", "Englisch"),
        ("es", "Spanish", "Spanisch"),
        ("fi", "Finnish", "Finnisch"),
        ("fr", "French", "Französisch"),
        ("he", "Hebrew", "Hebräisch"),
        ("hi", "Hindi", "Hindi"),
        ("hu", "Hungarian", "Ungarisch"),
        ("it", "Italian", "Italienisch"),
        ("ja", "Japanese", "Japanisch"),
        ("ko", "Korean", "Koreanisch"),
        ("nl", "Dutch", "Niederländisch"),
        ("pl", "Polish", "Polnisch"),
        ("pt", "Portuguese", "Portugiesisch"),
        ("ro", "Romanian", "Rumänisch"),
        ("ru", "Russian", "Russisch"),
        ("sv", "Swedish", "Schwedisch"),
        ("tr", "Turkish", "Türkisch"),
        ("uk", "Ukrainian", "Ukrainisch"),
        ("zh", "Chinese", "Chinesisch"),
    ];
    match NAMES.iter().find(|(known, _, _)| *known == code) {
        Some((_, english, german)) => match lang {
            Lang::En => (*english).to_owned(),
            Lang::De => (*german).to_owned(),
        },
        None => code.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn placeholders(text: &str) -> Vec<&str> {
        let mut names: Vec<&str> = text
            .split('{')
            .skip(1)
            .filter_map(|part| part.split_once('}').map(|(name, _)| name))
            .collect();
        names.sort_unstable();
        names
    }

    #[test]
    fn both_languages_take_the_same_values() {
        for &text in Text::ALL {
            let (en, de) = (text.get(Lang::En), text.get(Lang::De));
            assert!(!en.trim().is_empty() && !de.trim().is_empty(), "{text:?}");
            assert_eq!(placeholders(en), placeholders(de), "{text:?}");
        }
    }

    #[test]
    fn names_that_tests_and_assistive_technology_rely_on() {
        assert_eq!((Text::Send.get(Lang::En), Text::Send.get(Lang::De)), ("Send", "Senden"));
        assert_eq!((Text::Stop.get(Lang::En), Text::Stop.get(Lang::De)), ("Stop", "Anhalten"));
    }

    #[test]
    fn the_browsers_first_known_language_wins() {
        assert_eq!(preferred(["fr-FR", "de-AT", "en"]), Lang::De);
        assert_eq!(preferred(["EN_us", "de"]), Lang::En);
        assert_eq!(preferred(["fr"]), Lang::En);
        assert_eq!(preferred([]), Lang::En);
    }

    #[test]
    fn fills_in_values() {
        assert_eq!(
            Text::VersionOf.fill(Lang::De, &[("n", "1"), ("total", "2")]),
            "Fassung 1 von 2"
        );
        assert_eq!(language_name(Lang::De, "en"), "Englisch");
        assert_eq!(language_name(Lang::De, "xx"), "xx");
    }
}
