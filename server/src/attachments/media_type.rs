//! Of what kind are bytes? By what they begin with: what their sender says of them does not count.

const UNKNOWN: &str = "application/octet-stream";
/// As much of a text is looked at.
pub const LOOKED_AT: usize = 4096;

const BEGINNINGS: [(&[u8], &str); 7] = [
    (b"\x89PNG\r\n\x1a\n", "image/png"),
    (b"\xff\xd8\xff", "image/jpeg"),
    (b"GIF87a", "image/gif"),
    (b"GIF89a", "image/gif"),
    (b"%PDF-", "application/pdf"),
    (b"PK\x03\x04", "application/zip"),
    (b"\x1f\x8b", "application/gzip"),
];

/// Of a file that begins with `head`, its first [`LOOKED_AT`] bytes or all of it.
pub fn of(head: &[u8]) -> &'static str {
    if let Some((_, media_type)) = BEGINNINGS.iter().find(|(begins, _)| head.starts_with(begins)) {
        return media_type;
    }
    if head.starts_with(b"RIFF") && head.get(8..12) == Some(b"WEBP") {
        return "image/webp";
    }
    if is_text(head) { "text/plain" } else { UNKNOWN }
}

/// UTF-8, of which the last letter may be cut off, without control characters.
fn is_text(head: &[u8]) -> bool {
    let text = match str::from_utf8(head) {
        Ok(text) => text,
        Err(error) if error.error_len().is_none() => {
            str::from_utf8(&head[..error.valid_up_to()]).unwrap_or_default()
        }
        Err(_) => return false,
    };
    !text.chars().any(|c| c.is_control() && !matches!(c, '\n' | '\r' | '\t' | '\u{c}'))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bytes_say_what_they_are() {
        for (head, expected) in [
            (&b"\x89PNG\r\n\x1a\n...."[..], "image/png"),
            (b"RIFF\x10\0\0\0WEBPVP8 ", "image/webp"),
            (b"RIFF\x10\0\0\0WAVEfmt ", UNKNOWN),
            (b"%PDF-1.7", "application/pdf"),
            // Markup is text here, and nothing more.
            (b"<script>alert(1)</script>", "text/plain"),
            (b"Gr\xc3\xbc\xc3", "text/plain"),
            (b"", "text/plain"),
            (b"MZ\x90\0", UNKNOWN),
            (b"\xff\xfeh\0", UNKNOWN),
        ] {
            assert_eq!(of(head), expected, "{head:?}");
        }
    }
}
