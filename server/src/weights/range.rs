//! Which part of a chunk does a request ask for? (RFC 9110, section 14)

/// What a `Range` header comes to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Asked {
    /// No range, or one that a server may ignore: several parts, another unit, bad syntax.
    Whole,
    /// Bytes `start..end`, not empty, inside the chunk.
    Part { start: u64, end: u64 },
    /// A well-formed range that lies behind the end.
    Unsatisfiable,
}

/// Reads a `Range` header's value against a representation of `size_bytes` bytes.
pub fn asked(header: Option<&str>, size_bytes: u64) -> Asked {
    header.and_then(|header| single(header, size_bytes)).unwrap_or(Asked::Whole)
}

/// None for what is ignored.
fn single(header: &str, size_bytes: u64) -> Option<Asked> {
    let (unit, ranges) = header.split_once('=')?;
    if !unit.trim().eq_ignore_ascii_case("bytes") || ranges.contains(',') {
        return None;
    }
    let (first, last) = ranges.trim().split_once('-')?;
    let part = |start, end| {
        let is_inside = start < size_bytes && start < end;
        Some(if is_inside { Asked::Part { start, end } } else { Asked::Unsatisfiable })
    };
    match (first, last) {
        ("", last) => {
            let suffix_bytes = number(last)?;
            part(size_bytes.saturating_sub(suffix_bytes), size_bytes)
        }
        (first, "") => part(number(first)?, size_bytes),
        (first, last) => {
            let (first, last) = (number(first)?, number(last)?);
            // A last position before the first one makes the header invalid, hence ignored.
            if last < first { None } else { part(first, last.saturating_add(1).min(size_bytes)) }
        }
    }
}

/// Digits only; a number too large for a file is as good as the largest one.
fn number(text: &str) -> Option<u64> {
    let all_digits = !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
    all_digits.then(|| text.parse().unwrap_or(u64::MAX))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn part(start: u64, end: u64) -> Asked {
        Asked::Part { start, end }
    }

    #[test]
    fn reads_ranges_as_the_standard_says() {
        for (header, expected) in [
            ("bytes=0-9", part(0, 10)),
            ("bytes=0-0", part(0, 1)),
            ("bytes=90-", part(90, 100)),
            ("bytes=-10", part(90, 100)),
            ("bytes=-1000", part(0, 100)),
            ("bytes=50-1000", part(50, 100)),
            ("BYTES=5-6", part(5, 7)),
            ("bytes=99-99999999999999999999999", part(99, 100)),
            ("bytes=100-", Asked::Unsatisfiable),
            ("bytes=99999999999999999999999-", Asked::Unsatisfiable),
            ("bytes=-0", Asked::Unsatisfiable),
            ("bytes=9-5", Asked::Whole),
            ("bytes=0-1,5-6", Asked::Whole),
            ("lines=0-1", Asked::Whole),
            ("bytes=a-b", Asked::Whole),
            ("bytes=+1-5", Asked::Whole),
            ("bytes=-", Asked::Whole),
            ("bytes", Asked::Whole),
            ("", Asked::Whole),
        ] {
            assert_eq!(asked(Some(header), 100), expected, "{header}");
        }
        assert_eq!(asked(None, 100), Asked::Whole);
        assert_eq!(asked(Some("bytes=0-"), 0), Asked::Unsatisfiable);
    }
}
