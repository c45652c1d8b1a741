//! In which encoding is this text? UTF-8 if it can be, else by what German letters would make sense.

use chardetng::{EncodingDetector, Iso2022JpDetection, Utf8Detection};
use encoding_rs::{Encoding, ISO_8859_15, MACINTOSH, UTF_8, UTF_16BE, UTF_16LE, WINDOWS_1252};
use portico_shared::documents::{Builder, ExtractWarning};

use crate::ExtractError;

/// What is looked at to tell encodings apart.
const SNIFFED: usize = 256 << 10;

/// The upper half of code page 850, whose letters are also code page 437's.
const CODE_PAGE_850: &str = "ÇüéâäàåçêëèïîìÄÅÉæÆôöòûùÿÖÜø£Ø×ƒáíóúñÑªº¿®¬½¼¡«»░▒▓│┤ÁÂÀ©╣║╗╝¢¥┐\
└┴┬├─┼ãÃ╚╔╩╦╠═╬¤ðÐÊËÈıÍÎÏ┘┌█▄¦Ì▀ÓßÔÒõÕµþÞÚÛÙýÝ¯´\u{ad}±‗¾¶§÷¸°¨·¹³²■\u{a0}";

/// The text of `bytes`; a guess is told to `builder`.
///
/// # Errors
/// [`ExtractError::TypeUnknown`] for what is no text in any encoding.
pub fn decode(builder: &mut Builder, bytes: &[u8]) -> Result<String, ExtractError> {
    let (text, guessed) = decoded(bytes)?;
    if let Some(encoding) = guessed {
        builder.warn(ExtractWarning::EncodingGuessed { encoding });
    }
    Ok(text)
}

/// The text, and the encoding if it was guessed.
fn decoded(bytes: &[u8]) -> Result<(String, Option<String>), ExtractError> {
    if let Some((encoding, _)) = Encoding::for_bom(bytes) {
        return Ok((encoding.decode(bytes).0.into_owned(), None));
    }
    if let Some(encoding) = wide(bytes) {
        let text = encoding.decode_without_bom_handling(bytes).0.into_owned();
        return Ok((text, Some(encoding.name().to_owned())));
    }
    if is_binary(bytes) {
        return Err(ExtractError::TypeUnknown { what: "bytes that are no text".to_owned() });
    }
    if let Ok(text) = std::str::from_utf8(bytes) {
        return Ok((text.to_owned(), None));
    }
    let sample = &bytes[..bytes.len().min(SNIFFED)];
    // A few damaged bytes in what is otherwise UTF-8.
    let lossy = String::from_utf8_lossy(sample);
    let n_bad = lossy.matches('\u{fffd}').count();
    let n_good = lossy.chars().filter(|c| !c.is_ascii() && *c != '\u{fffd}').count();
    if n_good > n_bad * 20 {
        return Ok((String::from_utf8_lossy(bytes).into_owned(), Some(UTF_8.name().to_owned())));
    }
    let mut best =
        (western_score(&WINDOWS_1252.decode_without_bom_handling(sample).0), "windows-1252");
    for encoding in [ISO_8859_15, MACINTOSH] {
        let score = western_score(&encoding.decode_without_bom_handling(sample).0);
        if score > best.0 {
            best = (score, encoding.name());
        }
    }
    let score = western_score(&code_page_850(sample));
    if score > best.0 {
        best = (score, "IBM850");
    }
    let n_high = sample.iter().filter(|byte| **byte >= 0x80).count() as i64;
    if best.0 < n_high {
        // Not much of it is Western: Cyrillic, Greek, Polish, Chinese.
        let mut detector = EncodingDetector::new(Iso2022JpDetection::Deny);
        detector.feed(sample, true);
        let other = detector.guess(None, Utf8Detection::Deny);
        if other != WINDOWS_1252 {
            let text = other.decode_without_bom_handling(bytes).0.into_owned();
            return Ok((text, Some(other.name().to_owned())));
        }
    }
    let text = match Encoding::for_label(best.1.as_bytes()) {
        Some(encoding) => encoding.decode_without_bom_handling(bytes).0.into_owned(),
        None => code_page_850(bytes),
    };
    Ok((text, Some(best.1.to_owned())))
}

/// A part of an archive: XML is UTF-8 or UTF-16, or says what it is.
pub(crate) fn xml_text(bytes: &[u8]) -> String {
    if let Some((encoding, _)) = Encoding::for_bom(bytes) {
        return encoding.decode(bytes).0.into_owned();
    }
    let head = String::from_utf8_lossy(&bytes[..bytes.len().min(200)]).into_owned();
    let named = head
        .split_once("encoding=")
        .and_then(|(_, rest)| rest[1..].split(['"', '\'']).next().map(str::to_owned));
    let encoding = named.and_then(|label| Encoding::for_label(label.as_bytes()));
    // Who can read these ASCII letters does not have UTF-16 before him, whatever they say.
    let encoding = encoding.filter(|encoding| ![UTF_16LE, UTF_16BE].contains(encoding));
    let encoding = wide(bytes).or(encoding).unwrap_or(UTF_8);
    encoding.decode_without_bom_handling(bytes).0.into_owned()
}

/// UTF-16 without a mark: every other byte is zero in most texts.
fn wide(bytes: &[u8]) -> Option<&'static Encoding> {
    let sample = &bytes[..bytes.len().min(4096)];
    let n_pairs = sample.len() / 2;
    let zeros = |offset: usize| sample.iter().skip(offset).step_by(2).filter(|b| **b == 0).count();
    let (even, odd) = (zeros(0), zeros(1));
    match () {
        () if n_pairs < 4 => None,
        () if odd * 2 > n_pairs && even * 20 < n_pairs => Some(UTF_16LE),
        () if even * 2 > n_pairs && odd * 20 < n_pairs => Some(UTF_16BE),
        () => None,
    }
}

/// Control bytes that no text has, in more than a stray place.
fn is_binary(bytes: &[u8]) -> bool {
    let sample = &bytes[..bytes.len().min(SNIFFED)];
    let is_odd = |byte: &&u8| matches!(byte, 0..=8 | 14..=26 | 28..=31 | 127);
    let n_odd = sample.iter().filter(is_odd).count();
    n_odd * 50 > sample.len()
}

pub(crate) fn code_page_850(bytes: &[u8]) -> String {
    let high: Vec<char> = CODE_PAGE_850.chars().collect();
    let decode = |byte: &u8| match byte {
        // The paragraph sign's second place in the DOS code pages.
        0x15 => '§',
        0..=0x7f => char::from(*byte),
        byte => high.get(*byte as usize - 0x80).copied().unwrap_or('\u{fffd}'),
    };
    bytes.iter().map(decode).collect()
}

/// How much the letters and signs beyond ASCII make sense in a Western text.
fn western_score(text: &str) -> i64 {
    let mut score = 0;
    let mut before = ' ';
    let mut chars = text.chars().peekable();
    while let Some(c) = chars.next() {
        let after = chars.peek().copied().unwrap_or(' ');
        let in_word = before.is_ascii_alphabetic() || after.is_ascii_alphabetic();
        let within = before.is_ascii_alphabetic() && after.is_ascii_alphabetic();
        score += match c {
            _ if c.is_ascii() => 0,
            'ä' | 'ö' | 'ü' | 'ß' if in_word => 3,
            'Ä' | 'Ö' | 'Ü' if !before.is_lowercase() && (in_word || before.is_uppercase()) => 3,
            '§' | '€' | '°' | '²' | '³' | '½' if !within => 3,
            '„' | '“' | '”' | '»' | '«' | '–' | '—' | '…' | '•' | '’' | '‘' => {
                2
            }
            '\u{a0}' | '·' | '©' | '®' | '™' | '£' => 1,
            'à'..='ÿ' if in_word && c != '÷' => 2,
            'š' | 'ž' | 'œ' | 'ć' | 'ø' | 'å' | 'æ' if in_word => 2,
            'À'..='Þ' if !before.is_lowercase() && c != '×' && in_word => 1,
            '─'..='█' => i64::from(!in_word),
            c if c.is_control() => -6,
            '\u{fffd}' => -6,
            _ if within => -4,
            _ => -2,
        };
        before = c;
    }
    score
}

#[cfg(test)]
mod tests {
    use super::*;

    const TEXT: &str = "Grüße aus Köln: Ärger über Öl und Übermaß, 5 Tage Müßiggang laut § 3.\n";

    fn check(bytes: &[u8], expected: &str, encoding: Option<&str>) {
        let (text, guessed) = decoded(bytes).unwrap();
        assert_eq!(text, expected);
        assert_eq!(guessed.as_deref(), encoding);
    }

    #[test]
    fn old_german_encodings_are_told_apart() {
        check(TEXT.as_bytes(), TEXT, None);
        check(&WINDOWS_1252.encode(TEXT).0, TEXT, Some("windows-1252"));
        check(&MACINTOSH.encode(TEXT).0, TEXT, Some("macintosh"));
        let euro = format!("{TEXT}Es kostet 5 € im Jahr.");
        let latin9: Vec<u8> = WINDOWS_1252
            .encode(&euro)
            .0
            .iter()
            .map(|b| if *b == 0x80 { 0xa4 } else { *b })
            .collect();
        check(&latin9, &euro, Some("ISO-8859-15"));
        let high: Vec<char> = CODE_PAGE_850.chars().collect();
        assert_eq!(high.len(), 128);
        let dos: Vec<u8> = TEXT
            .chars()
            .map(|c| high.iter().position(|h| *h == c).map_or(c as u8, |at| at as u8 + 0x80))
            .collect();
        check(&dos, TEXT, Some("IBM850"));
    }

    #[test]
    fn utf_16_is_seen_with_and_without_its_mark() {
        let little: Vec<u8> = TEXT.encode_utf16().flat_map(u16::to_le_bytes).collect();
        let big: Vec<u8> = TEXT.encode_utf16().flat_map(u16::to_be_bytes).collect();
        check(&little, TEXT, Some("UTF-16LE"));
        check(&big, TEXT, Some("UTF-16BE"));
        let marked: Vec<u8> = [0xff, 0xfe].into_iter().chain(little).collect();
        check(&marked, TEXT, None);
    }

    #[test]
    fn other_scripts_are_read_and_bytes_that_are_no_text_are_not() {
        let russian = "Члены правления избираются сроком на два года общим собранием.";
        let (bytes, ..) = encoding_rs::WINDOWS_1251.encode(russian);
        check(&bytes, russian, Some("windows-1251"));
        let noise: Vec<u8> = (0..2000_u32).map(|n| (n * n % 251) as u8).collect();
        assert!(matches!(decoded(&noise), Err(ExtractError::TypeUnknown { .. })));
    }
}
