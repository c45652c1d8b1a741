//! What does a prompt ask for before it goes into the box, how is it found, and how does it leave the house
//! and come into it?
//!
//! A variable is `{{name}}`, `{{name = what stands there at first}}` or `{{name: one | other}}`, which is a
//! choice. The same name is asked for once.

use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

/// Longest name; what is longer is no variable and stays as it is.
const NAME_CHARS_MAX: usize = 60;
/// More is not read out of a file.
pub const IMPORTED_MAX: usize = 200;

/// As the server has it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Prompt {
    pub id: String,
    /// None: one's own; `everyone`: the house's.
    pub group: Option<String>,
    pub title: String,
    #[serde(default)]
    pub description: String,
    pub text: String,
    #[serde(default)]
    pub may_change: bool,
}

/// Something that a text asks for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Variable {
    pub name: String,
    pub default: String,
    /// Empty: anything.
    pub choices: Vec<String>,
}

/// A text in pieces: what stands, and what is asked for.
enum Piece<'a> {
    Text(&'a str),
    Asked(Variable),
}

fn pieces(text: &str) -> Vec<Piece<'_>> {
    let mut pieces = Vec::new();
    let (mut rest, mut from) = (text, 0);
    while let Some(open) = rest[from..].find("{{").map(|at| from + at) {
        let inner = &rest[open + 2..];
        let Some(close) = inner.find("}}") else { break };
        match variable(&inner[..close]) {
            Some(variable) => {
                pieces.push(Piece::Text(&rest[..open]));
                pieces.push(Piece::Asked(variable));
                rest = &inner[close + 2..];
                from = 0;
            }
            // `{{{name}}`: the variable begins one sign further on.
            None => from = open + 1,
        }
    }
    pieces.push(Piece::Text(rest));
    pieces
}

/// Of what stands between the braces.
fn variable(inner: &str) -> Option<Variable> {
    let (name, more) = match inner.find(['=', ':']) {
        Some(at) => (&inner[..at], Some((&inner[at..at + 1], &inner[at + 1..]))),
        None => (inner, None),
    };
    let name = name.trim();
    let is_name = !name.is_empty() && name.chars().count() <= NAME_CHARS_MAX;
    if !is_name || inner.contains(['{', '}', '\n']) {
        return None;
    }
    let (default, choices) = match more {
        None => (String::new(), Vec::new()),
        Some(("=", default)) => (default.trim().to_owned(), Vec::new()),
        Some((_, choices)) => {
            let choices = choices.split('|').map(str::trim).filter(|choice| !choice.is_empty());
            let choices: Vec<String> = choices.map(str::to_owned).collect();
            (choices.first().cloned().unwrap_or_default(), choices)
        }
    };
    Some(Variable { name: name.to_owned(), default, choices })
}

/// What a text asks for, in its order; where a name stands twice, the first that says more counts.
pub fn variables(text: &str) -> Vec<Variable> {
    let mut found: Vec<Variable> = Vec::new();
    for piece in pieces(text) {
        let Piece::Asked(variable) = piece else { continue };
        match found.iter_mut().find(|known| known.name == variable.name) {
            Some(known) if known.default.is_empty() && known.choices.is_empty() => {
                *known = variable;
            }
            Some(_) => {}
            None => found.push(variable),
        }
    }
    found
}

/// The text with the values in their places; a name that has none is left out.
pub fn filled(text: &str, values: &[(String, String)]) -> String {
    let value = |name: &str| values.iter().find(|(known, _)| known == name).map(|(_, value)| value);
    let mut whole = String::new();
    for piece in pieces(text) {
        match piece {
            Piece::Text(text) => whole.push_str(text),
            Piece::Asked(Variable { name, .. }) => {
                whole.push_str(value(&name).map_or("", String::as_str));
            }
        }
    }
    whole
}

/// Which prompts have all words of a query in title or description, those whose title begins with it
/// first; within these in their order.
pub fn found<'a>(prompts: &'a [Prompt], query: &str) -> Vec<&'a Prompt> {
    let query = query.trim().to_lowercase();
    let rank = |prompt: &Prompt| {
        let title = prompt.title.to_lowercase();
        let all = format!("{title} {}", prompt.description.to_lowercase());
        let has = |text: &str| query.split_whitespace().all(|word| text.contains(word));
        match () {
            () if title.starts_with(&query) => Some(0),
            () if has(&title) => Some(1),
            () if has(&all) => Some(2),
            () => None,
        }
    };
    let mut found: Vec<(u8, &Prompt)> =
        prompts.iter().filter_map(|prompt| Some((rank(prompt)?, prompt))).collect();
    found.sort_by_key(|(rank, _)| *rank);
    found.into_iter().map(|(_, prompt)| prompt).collect()
}

/// What of a `/` in the box is looked for: `/sum` → `sum`. None where it is no such thing.
pub fn query_of(written: &str) -> Option<&str> {
    let query = written.strip_prefix('/')?;
    let is_query = query.chars().count() <= NAME_CHARS_MAX && !query.contains(['\n', '/']);
    is_query.then_some(query)
}

/// What is read out of a file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Imported {
    pub title: String,
    pub description: String,
    pub text: String,
}

/// A file of Open WebUI (a list of `command`, `title` or `name`, `content`) or of ours (the same with a
/// `description`). Beside what could be read: how many entries could not.
///
/// # Errors
/// Where the file is no list.
pub fn imported(json: &str) -> Result<(Vec<Imported>, usize), serde_json::Error> {
    let entries: Vec<Value> = serde_json::from_str(json)?;
    let n_entries = entries.len();
    let text = |entry: &Value, names: &[&str]| {
        let found = names.iter().filter_map(|name| entry.get(name)?.as_str());
        found.map(str::trim).find(|text| !text.is_empty()).map(str::to_owned)
    };
    let one = |entry: &Value| {
        Some(Imported {
            title: text(entry, &["title", "name", "command"])?,
            description: text(entry, &["description"]).unwrap_or_default(),
            text: in_our_form(&text(entry, &["content", "text"])?),
        })
    };
    let read: Vec<Imported> = entries.iter().take(IMPORTED_MAX).filter_map(one).collect();
    let n_left = n_entries - read.len();
    Ok((read, n_left))
}

/// Open WebUI says `{{tone | select:options=["a","b"]:default="b"}}` and `{{name | text:default="x"}}`; what
/// else it knows of a variable is left out.
fn in_our_form(text: &str) -> String {
    let mut ours = String::new();
    let mut rest = text;
    while let Some((before, inner)) = rest.split_once("{{") {
        ours.push_str(before);
        ours.push_str("{{");
        let Some((inner, after)) = inner.split_once("}}") else {
            rest = inner;
            break;
        };
        match inner.split_once('|').filter(|(name, _)| !name.contains([':', '='])) {
            Some((name, said)) => ours.push_str(&variable_in_our_form(name.trim(), said)),
            None => ours.push_str(inner),
        }
        ours.push_str("}}");
        rest = after;
    }
    ours.push_str(rest);
    ours
}

fn variable_in_our_form(name: &str, said: &str) -> String {
    let default = said.split_once("default=").map(|(_, rest)| rest.trim_start_matches('"'));
    let default = default.and_then(|rest| rest.split(['"', ':']).next()).unwrap_or_default();
    let options = said.split_once("options=").and_then(|(_, rest)| rest.split_once(']'));
    let options =
        options.and_then(|(list, _)| serde_json::from_str::<Vec<String>>(&format!("{list}]")).ok());
    match options {
        Some(mut options) => {
            // The first stands there at first.
            options.sort_by_key(|option| option != default);
            format!("{name}: {}", options.join(" | "))
        }
        None if default.is_empty() => name.to_owned(),
        None => format!("{name} = {default}"),
    }
}

/// As Open WebUI reads it, and [`imported`].
pub fn exported<'a>(prompts: impl IntoIterator<Item = &'a Prompt>) -> String {
    let entry = |prompt: &Prompt| {
        json!({
            "command": command(&prompt.title),
            "title": prompt.title,
            "description": prompt.description,
            "content": prompt.text,
        })
    };
    let entries: Vec<Value> = prompts.into_iter().map(entry).collect();
    serde_json::to_string_pretty(&entries).unwrap_or_default()
}

/// `Brief zusammenfassen!` → `/brief-zusammenfassen`
fn command(title: &str) -> String {
    let title = title.to_lowercase();
    let words = title.split(|c: char| !c.is_alphanumeric()).filter(|word| !word.is_empty());
    format!("/{}", words.collect::<Vec<_>>().join("-"))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn asked(name: &str, default: &str, choices: &[&str]) -> Variable {
        let choices = choices.iter().map(|&choice| choice.to_owned()).collect();
        Variable { name: name.to_owned(), default: default.to_owned(), choices }
    }

    fn prompt(title: &str, description: &str) -> Prompt {
        Prompt {
            id: title.to_owned(),
            group: None,
            title: title.to_owned(),
            description: description.to_owned(),
            text: format!("{title} {{{{x}}}}"),
            may_change: true,
        }
    }

    #[test]
    fn a_text_asks_for_its_variables_once_each() {
        let text =
            "An {{ Name }}, Ton {{Ton: freundlich | sachlich}}, bis {{Frist = Freitag}}, {{Name}}.";
        let expected = [
            asked("Name", "", &[]),
            asked("Ton", "freundlich", &["freundlich", "sachlich"]),
            asked("Frist", "Freitag", &[]),
        ];
        assert_eq!(variables(text), expected);
        assert_eq!(variables("{{a}} {{a = b}}"), [asked("a", "b", &[])]);
        for none in ["{{}}", "{{ = x}}", "{{a\nb}}", "{{a", "a}}", "{ {a} }", "{{a{b}}"] {
            assert_eq!(variables(none), [], "{none}");
        }
        assert_eq!(variables("{{{a}}}"), [asked("a", "", &[])]);
        assert_eq!(variables("{{a: | b || c | }}"), [asked("a", "b", &["b", "c"])]);
        assert_eq!(
            variables("{{a: | }} {{a = x}}"),
            [asked("a", "x", &[])],
            "no choice says nothing"
        );
        assert_eq!(
            variables("{{a:b}} {{a = x}}"),
            [asked("a", "b", &["b"])],
            "the first that says more"
        );
        let long = "ü".repeat(NAME_CHARS_MAX);
        assert_eq!(variables(&format!("{{{{{long}}}}}")).len(), 1);
        assert_eq!(variables(&format!("{{{{{long}ü}}}}")), []);
    }

    #[test]
    fn values_come_into_their_places_and_are_not_read_again() {
        let values = [("a".to_owned(), "{{b}}".to_owned()), ("b".to_owned(), "ü".to_owned())];
        assert_eq!(filled("{{a}} {{ b : x | y }} {{c}}. {{no", &values), "{{b}} ü . {{no");
        assert_eq!(filled("plain", &values), "plain");
    }

    #[test]
    fn titles_that_begin_so_come_first() {
        let prompts =
            [prompt("Brief", "höflich"), prompt("Der Brief", ""), prompt("Absage", "als Brief")];
        let titles = |query: &str| {
            found(&prompts, query).iter().map(|one| one.title.as_str()).collect::<Vec<_>>()
        };
        assert_eq!(titles("brief"), ["Brief", "Der Brief", "Absage"]);
        assert_eq!(titles("  "), ["Brief", "Der Brief", "Absage"]);
        assert_eq!(titles("brief HÖF"), ["Brief"]);
        let upside_down: Vec<Prompt> = prompts.iter().rev().cloned().collect();
        let found: Vec<&str> = found(&upside_down, "brief").iter().map(|one| &*one.title).collect();
        assert_eq!(found, ["Brief", "Der Brief", "Absage"], "whatever order they came in");
        assert_eq!(titles("nichts"), Vec::<&str>::new());
        assert_eq!(query_of("/sum it"), Some("sum it"));
        assert_eq!(query_of("/"), Some(""));
        for written in ["sum", " /sum", "/a\nb", "/etc/passwd", &format!("/{}", "x".repeat(61))] {
            assert_eq!(query_of(written), None, "{written}");
        }
    }

    #[test]
    fn files_of_open_webui_come_in_and_ours_come_back() {
        let theirs = r#"[
            {"command": "/letter", "title": "Letter", "content": "To {{to}}, {{tone | select:options=[\"kind\",\"dry\"]:default=\"dry\"}}, {{by | text:default=\"Friday\":placeholder=\"when\"}}", "user_id": "x", "timestamp": 1},
            {"command": "no-title", "content": "text"},
            {"title": "no text"}, 7]"#;
        let (read, n_left) = imported(theirs).unwrap();
        assert_eq!((read.len(), n_left), (2, 2));
        assert_eq!(read[0].text, "To {{to}}, {{tone: dry | kind}}, {{by = Friday}}");
        assert_eq!(read[1].title, "no-title");
        assert!(imported("{}").is_err() && imported("no").is_err());
        let many = vec![json!({ "title": "t", "content": "c" }); IMPORTED_MAX + 3];
        let (read, n_left) = imported(&Value::from(many).to_string()).unwrap();
        assert_eq!((read.len(), n_left), (IMPORTED_MAX, 3));

        let ours = [prompt("Brief: schreiben!", "höflich")];
        let file = exported(&ours);
        assert!(file.contains(r#""command": "/brief-schreiben""#), "{file}");
        let (read, n_left) = imported(&file).unwrap();
        let expected = Imported {
            title: ours[0].title.clone(),
            description: ours[0].description.clone(),
            text: ours[0].text.clone(),
        };
        assert_eq!((read, n_left), (vec![expected], 0));
    }
}
