//! Which number does an item of a Word list bear? The file only says how they are counted.

use std::collections::HashMap;

use crate::Limits;
use crate::xml::{Node, walk};

const LEVELS: usize = 9;

#[derive(Clone, Debug, Default)]
struct Level {
    format: String,
    /// Such as `%1.%2.`.
    text: String,
    start: u32,
}

/// The lists of a document, and how far each has been counted.
#[derive(Debug, Default)]
pub(super) struct Numbering {
    abstract_of: HashMap<String, String>,
    levels: HashMap<(String, usize), Level>,
    counts: HashMap<String, [u32; LEVELS]>,
}

impl Numbering {
    pub(super) fn read(xml: &str, limits: &Limits) -> Self {
        let mut numbering = Self::default();
        let (mut scheme, mut list, mut level) = (String::new(), String::new(), 0_usize);
        // A damaged list of numbers costs numbers, not text.
        let _ = walk(xml, limits, |node| {
            let Node::Open(element) = node else { return Ok(()) };
            let value = || element.attribute("val").unwrap_or_default();
            let key = (scheme.clone(), level);
            match element.name() {
                "abstractNum" => {
                    scheme = element.attribute("abstractNumId").unwrap_or_default();
                    level = 0;
                }
                "lvl" => {
                    level = element.attribute("ilvl").and_then(|n| n.parse().ok()).unwrap_or(0);
                    let start = Level { start: 1, ..Level::default() };
                    numbering.levels.insert((scheme.clone(), level), start);
                }
                "numFmt" => numbering.levels.entry(key).or_default().format = value(),
                "lvlText" => numbering.levels.entry(key).or_default().text = value(),
                "start" => {
                    numbering.levels.entry(key).or_default().start = value().parse().unwrap_or(1);
                }
                "num" => list = element.attribute("numId").unwrap_or_default(),
                "abstractNumId" => {
                    numbering.abstract_of.insert(list.clone(), value());
                }
                _ => {}
            }
            Ok(())
        });
        numbering
    }

    /// The next item's number or bullet, `None` where the list has none.
    pub(super) fn next(&mut self, list: &str, level: usize) -> Option<String> {
        if list == "0" {
            return None;
        }
        let level = level.min(LEVELS - 1);
        let scheme = self.abstract_of.get(list)?.clone();
        let of = |at: usize| self.levels.get(&(scheme.clone(), at)).cloned().unwrap_or_default();
        let own = of(level);
        if own.format == "bullet" || own.format.is_empty() {
            return Some("-".to_owned());
        }
        if own.format == "none" || own.text.is_empty() {
            return None;
        }
        let schemes: Vec<Level> = (0..LEVELS).map(of).collect();
        let counts = self.counts.entry(scheme).or_insert([0; LEVELS]);
        counts[level] = match counts[level] {
            0 => schemes[level].start.max(1),
            count => count.saturating_add(1),
        };
        counts[level + 1..].fill(0);
        let mut text = own.text;
        for (at, scheme) in schemes.iter().enumerate().take(level + 1) {
            let count = counts[at].max(scheme.start.max(1));
            text = text.replace(&format!("%{}", at + 1), &formatted(&scheme.format, count));
        }
        Some(text)
    }
}

fn formatted(format: &str, count: u32) -> String {
    match format {
        "lowerLetter" | "upperLetter" => {
            let letter = char::from(b'a' + ((count.max(1) - 1) % 26) as u8);
            let n = ((count.max(1) - 1) / 26 + 1).min(20) as usize;
            let letters = letter.to_string().repeat(n);
            if format == "upperLetter" { letters.to_uppercase() } else { letters }
        }
        "lowerRoman" => roman(count).to_lowercase(),
        "upperRoman" => roman(count),
        "decimalZero" => format!("{count:02}"),
        _ => count.to_string(),
    }
}

fn roman(count: u32) -> String {
    const SIGNS: [(u32, &str); 13] = [
        (1000, "M"),
        (900, "CM"),
        (500, "D"),
        (400, "CD"),
        (100, "C"),
        (90, "XC"),
        (50, "L"),
        (40, "XL"),
        (10, "X"),
        (9, "IX"),
        (5, "V"),
        (4, "IV"),
        (1, "I"),
    ];
    if count > 3999 {
        return count.to_string();
    }
    let mut rest = count;
    let mut text = String::new();
    for (value, sign) in SIGNS {
        while rest >= value {
            text.push_str(sign);
            rest -= value;
        }
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn items_are_counted_by_level() {
        let xml = r#"<w:numbering><w:abstractNum w:abstractNumId="7">
            <w:lvl w:ilvl="0"><w:start w:val="1"/><w:numFmt w:val="decimal"/><w:lvlText w:val="§ %1"/></w:lvl>
            <w:lvl w:ilvl="1"><w:start w:val="1"/><w:numFmt w:val="lowerLetter"/><w:lvlText w:val="%1%2)"/></w:lvl>
            </w:abstractNum><w:num w:numId="3"><w:abstractNumId w:val="7"/></w:num></w:numbering>"#;
        let mut numbering = Numbering::read(xml, &Limits::default());
        let levels = [0, 1, 1, 0, 1];
        let seen: Vec<String> = levels.iter().filter_map(|l| numbering.next("3", *l)).collect();
        assert_eq!(seen, ["§ 1", "1a)", "1b)", "§ 2", "2a)"]);
        assert_eq!(numbering.next("0", 0), None);
        assert_eq!(roman(1994), "MCMXCIV");
    }
}
