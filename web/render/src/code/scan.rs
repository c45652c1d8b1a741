//! Text → stretches of classes, in bytes.

use std::ops::Range;

use super::Class;
use super::language::Words;

type Found = Vec<(Class, Range<usize>)>;

/// Words, texts, comments and numbers, as `language` has them.
pub fn words(text: &str, language: &Words) -> Found {
    let mut found = Vec::new();
    let mut at = 0;
    while let Some(c) = text[at..].chars().next() {
        let rest = &text[at..];
        let (class, len) = if let Some(len) = comment(text, at, language) {
            (Some(Class::Comment), len)
        } else if let Some(len) = quoted(rest, language) {
            let is_key = language.key_before.is_some_and(|key| follows(&rest[len..], key));
            (Some(if is_key { Class::Name } else { Class::String }), len)
        } else if c.is_ascii_digit() {
            let len = rest.find(|c: char| !c.is_alphanumeric() && c != '.' && c != '_');
            (Some(Class::Number), len.unwrap_or(rest.len()))
        } else if c.is_alphabetic() || "_@$".contains(c) {
            let len = rest[c.len_utf8()..]
                .find(|c: char| !c.is_alphanumeric() && c != '_' && !(c == '-' && language.dashes))
                .map_or(rest.len(), |len| len + c.len_utf8());
            (word(&rest[..len], &rest[len..], language), len)
        } else {
            (None, c.len_utf8())
        };
        if let Some(class) = class {
            found.push((class, at..at + len));
        }
        at += len;
    }
    found
}

fn word(word: &str, behind: &str, language: &Words) -> Option<Class> {
    let is_keyword = match language.ignores_case {
        true => language.keywords.iter().any(|keyword| keyword.eq_ignore_ascii_case(word)),
        false => language.keywords.contains(&word),
    };
    if is_keyword {
        return Some(Class::Keyword);
    }
    if word.starts_with(['@', '$']) && word.len() > 1 {
        return Some(Class::Meta);
    }
    let is_key = language.key_before.is_some_and(|key| follows(behind, key));
    let is_call = language.calls && behind.starts_with(['(', '!']) && !behind.starts_with("!=");
    (is_key || is_call).then_some(Class::Name)
}

fn follows(behind: &str, key: char) -> bool {
    behind.trim_start_matches([' ', '\t']).starts_with(key)
}

fn comment(text: &str, at: usize, language: &Words) -> Option<usize> {
    let rest = &text[at..];
    if let Some((begin, end)) = language.block_comment
        && let Some(inner) = rest.strip_prefix(begin)
    {
        return Some(inner.find(end).map_or(rest.len(), |len| begin.len() + len + end.len()));
    }
    let begin = language.line_comments.iter().find(|begin| rest.starts_with(**begin))?;
    // In a shell `#` is a comment only where a word begins: `$#`, `a#b`.
    let is_inside = *begin == "#" && text[..at].ends_with(|c: char| !c.is_whitespace());
    (!is_inside).then(|| rest.find('\n').unwrap_or(rest.len()))
}

/// The length of a text with its quotes. One that is not closed ends with its line, or with the code.
fn quoted(rest: &str, language: &Words) -> Option<usize> {
    let (quote, over_lines) = language.quotes.iter().find(|(quote, _)| rest.starts_with(quote))?;
    let mut at = quote.len();
    while let Some(c) = rest[at..].chars().next() {
        if rest[at..].starts_with(quote) {
            return Some(at + quote.len());
        }
        match c {
            '\\' => at += 1 + rest[at + 1..].chars().next().map_or(0, char::len_utf8),
            // An apostrophe in words: no text.
            '\n' if !over_lines => return (*quote == "\"").then_some(at),
            _ => at += c.len_utf8(),
        }
    }
    Some(rest.len())
}

/// Elements, their attributes, texts and comments.
pub fn markup(text: &str) -> Found {
    let mut found = Vec::new();
    let mut at = 0;
    while let Some(next) = text[at..].find('<') {
        at += next;
        let rest = &text[at..];
        if rest.starts_with("<!--") {
            let len = rest.find("-->").map_or(rest.len(), |len| len + 3);
            found.push((Class::Comment, at..at + len));
            at += len;
            continue;
        }
        let end = at + rest.find('>').map_or(rest.len(), |len| len + 1);
        let name_start = at + 1 + usize::from(rest[1..].starts_with(['/', '!', '?']));
        let name_len =
            text[name_start..end].find(|c: char| !is_name(c)).unwrap_or(end - name_start);
        if name_len == 0 {
            at += 1;
            continue;
        }
        found.push((Class::Keyword, name_start..name_start + name_len));
        attributes(text, name_start + name_len, end, &mut found);
        at = end;
    }
    found
}

fn attributes(text: &str, from: usize, end: usize, found: &mut Found) {
    let mut at = from;
    while at < end {
        let rest = &text[at..end];
        let Some(c) = rest.chars().next() else { return };
        let (class, len) = if matches!(c, '"' | '\'') {
            (Some(Class::String), rest[1..].find(c).map_or(rest.len(), |len| len + 2))
        } else if is_name(c) {
            (Some(Class::Name), rest.find(|c: char| !is_name(c)).unwrap_or(rest.len()))
        } else {
            (None, c.len_utf8())
        };
        if let Some(class) = class {
            found.push((class, at..at + len));
        }
        at += len;
    }
}

fn is_name(c: char) -> bool {
    c.is_alphanumeric() || "-_:.@".contains(c)
}

/// Lines that came, that went, and where they stand.
pub fn diff(text: &str) -> Found {
    let mut found = Vec::new();
    let mut at = 0;
    for line in text.split_inclusive('\n') {
        let len = line.trim_end_matches('\n').len();
        let class = match line.as_bytes().first() {
            _ if ["+++", "---", "diff ", "index "].iter().any(|head| line.starts_with(head)) => {
                Some(Class::Meta)
            }
            Some(b'@') => Some(Class::Meta),
            Some(b'+') => Some(Class::Inserted),
            Some(b'-') => Some(Class::Deleted),
            _ => None,
        };
        if let Some(class) = class {
            found.push((class, at..at + len));
        }
        at += line.len();
    }
    found
}
