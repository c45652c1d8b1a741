//! Which characters do a font's codes stand for? As its `ToUnicode` table says.

use std::collections::HashMap;

/// Entries of one table, at most: a range can name more codes than there are characters.
const ENTRIES_MAX: usize = 200_000;

/// Codes to text. Codes are one to four bytes long.
#[derive(Debug, Default)]
pub(super) struct CMap {
    text: HashMap<(u8, u32), String>,
    /// Lengths of codes and what lies between.
    spaces: Vec<(u8, u32, u32)>,
}

enum Token<'a> {
    Hex(Vec<u8>),
    Word(&'a [u8]),
    Open,
    Close,
}

impl CMap {
    pub(super) fn read(bytes: &[u8]) -> Self {
        let mut cmap = Self::default();
        let mut operands: Vec<Token<'_>> = Vec::new();
        let mut rest = bytes;
        while let Some(token) = token(&mut rest) {
            match token {
                Token::Word(b"begincodespacerange" | b"beginbfchar" | b"beginbfrange") => {
                    operands.clear();
                }
                Token::Word(b"endcodespacerange") => cmap.spaces(&std::mem::take(&mut operands)),
                Token::Word(b"endbfchar") => cmap.chars(&std::mem::take(&mut operands)),
                Token::Word(b"endbfrange") => cmap.ranges(&std::mem::take(&mut operands)),
                Token::Word(_) => {}
                operand => operands.push(operand),
            }
        }
        cmap
    }

    pub(super) fn get(&self, n_bytes: u8, code: u32) -> Option<&str> {
        self.text.get(&(n_bytes, code)).map(String::as_str)
    }

    /// How many bytes the code at the beginning of `bytes` has.
    pub(super) fn code_len(&self, bytes: &[u8]) -> Option<u8> {
        self.spaces
            .iter()
            .find(|(n_bytes, low, high)| {
                bytes.get(..*n_bytes as usize).is_some_and(|code| {
                    let code = number(code);
                    // Each byte lies between its own bounds.
                    (0..u32::from(*n_bytes)).all(|at| {
                        let byte = |value: u32| value >> (8 * at) & 0xff;
                        (byte(*low)..=byte(*high)).contains(&byte(code))
                    })
                })
            })
            .map(|(n_bytes, ..)| *n_bytes)
    }

    fn spaces(&mut self, operands: &[Token<'_>]) {
        for pair in operands.chunks_exact(2) {
            if let [Token::Hex(low), Token::Hex(high)] = pair
                && (1..=4).contains(&low.len())
            {
                self.spaces.push((low.len() as u8, number(low), number(high)));
            }
        }
    }

    fn chars(&mut self, operands: &[Token<'_>]) {
        for pair in operands.chunks_exact(2) {
            if let [Token::Hex(code), Token::Hex(text)] = pair {
                self.put(code.len(), number(code), utf_16(text));
            }
        }
    }

    fn ranges(&mut self, operands: &[Token<'_>]) {
        let mut rest = operands.iter();
        while let (Some(Token::Hex(low)), Some(Token::Hex(high))) = (rest.next(), rest.next()) {
            let (first, last) = (number(low), number(high));
            match rest.next() {
                Some(Token::Hex(text)) => {
                    let Some((end, start)) = text.split_last() else { continue };
                    for code in first..=last.min(first.saturating_add(0xffff)) {
                        let mut text = start.to_vec();
                        // Counted on in the last two bytes.
                        let sum = u32::from(*end) + (code - first);
                        if let Some(before) = text.last_mut() {
                            *before = before.wrapping_add((sum >> 8) as u8);
                        }
                        text.push(sum as u8);
                        self.put(low.len(), code, utf_16(&text));
                    }
                }
                Some(Token::Open) => {
                    let mut code = first;
                    for token in rest.by_ref() {
                        match token {
                            Token::Hex(text) => {
                                self.put(low.len(), code, utf_16(text));
                                code = code.saturating_add(1);
                            }
                            _ => break,
                        }
                    }
                }
                _ => return,
            }
        }
    }

    fn put(&mut self, n_bytes: usize, code: u32, text: String) {
        if (1..=4).contains(&n_bytes) && self.text.len() < ENTRIES_MAX {
            self.text.insert((n_bytes as u8, code), text);
        }
    }
}

pub(super) fn number(bytes: &[u8]) -> u32 {
    bytes.iter().fold(0, |number, byte| number << 8 | u32::from(*byte))
}

fn utf_16(bytes: &[u8]) -> String {
    if let [byte] = bytes {
        return char::from(*byte).to_string();
    }
    let units = bytes.chunks_exact(2).map(|pair| u16::from_be_bytes([pair[0], pair[1]]));
    char::decode_utf16(units).flatten().filter(|c| *c != '\0').collect()
}

fn token<'a>(rest: &mut &'a [u8]) -> Option<Token<'a>> {
    loop {
        let (first, behind) = rest.split_first()?;
        match first {
            b'%' => {
                let end = rest.iter().position(|byte| matches!(byte, b'\n' | b'\r'));
                *rest = &rest[end.unwrap_or(rest.len())..];
            }
            b'<' if behind.first() != Some(&b'<') => {
                let end = behind.iter().position(|byte| *byte == b'>').unwrap_or(behind.len());
                let digits: Vec<u8> = behind[..end]
                    .iter()
                    .filter_map(|byte| char::from(*byte).to_digit(16))
                    .map(|digit| digit as u8)
                    .collect();
                *rest = &behind[(end + 1).min(behind.len())..];
                return Some(Token::Hex(
                    digits
                        .chunks(2)
                        .map(|pair| match pair {
                            [high, low] => high << 4 | low,
                            _ => pair[0] << 4,
                        })
                        .collect(),
                ));
            }
            b'[' => {
                *rest = behind;
                return Some(Token::Open);
            }
            b']' => {
                *rest = behind;
                return Some(Token::Close);
            }
            byte if byte.is_ascii_alphanumeric() => {
                let is_end = |byte: &u8| !byte.is_ascii_graphic() || b"<>[]()/%".contains(byte);
                let end = rest.iter().position(is_end).unwrap_or(rest.len());
                let (word, behind) = rest.split_at(end);
                *rest = behind;
                return Some(Token::Word(word));
            }
            _ => *rest = behind,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn chars_ranges_and_lists_are_read() {
        let cmap = CMap::read(
            b"1 begincodespacerange <0000> <FFFF> endcodespacerange\n\
              2 beginbfchar <0003> <0020> <0004> <00660069> endbfchar % ff\n\
              2 beginbfrange <0010> <0012> <00e4> <0020> <0021> [<0041> <D83DDE00>] endbfrange",
        );
        assert_eq!(cmap.code_len(&[0, 3, 0, 4]), Some(2));
        let seen: Vec<Option<&str>> =
            [3, 4, 0x10, 0x12, 0x20, 0x21, 9].iter().map(|code| cmap.get(2, *code)).collect();
        let expected = [Some(" "), Some("fi"), Some("ä"), Some("æ"), Some("A"), Some("😀"), None];
        assert_eq!(seen, expected);
    }
}
