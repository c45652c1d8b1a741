//! How does a file look that was damaged, or made to do damage? By a seed, the same each time.

use std::io::{Cursor, Read as _, Write as _};
use std::process::ExitCode;

use portico_documents::child::{guarded, limit};
use portico_documents::{Hint, Limits, extract};
use zip::write::SimpleFileOptions;
use zip::{ZipArchive, ZipWriter};

/// Reads the mutants of `file` with the seeds from `from` to before `to`. For each there is a line when
/// it begins, and one that says what became of it: whoever watches knows which one was too much.
pub fn run(file: &str, from: &str, to: &str) -> ExitCode {
    let limits = Limits { cpu_s: 600, memory_mb: 512, ..Limits::default() };
    let (Ok(bytes), Ok(from), Ok(to)) = (std::fs::read(file), from.parse(), to.parse()) else {
        return ExitCode::from(2);
    };
    if limit(&limits).is_err() {
        return ExitCode::from(2);
    }
    std::panic::set_hook(Box::new(|_| {}));
    let parts = unpacked(&bytes);
    for seed in from..to {
        println!("begin {seed}");
        let mutant = mutant(&bytes, parts.as_deref(), seed);
        let hint = Hint::named(file);
        let outcome = match guarded(|| extract(&mutant, &hint, &limits)) {
            Ok(extracted) => format!("text {}", extracted.text.len()),
            Err(error) => format!("{} {error}", error.code()),
        };
        println!("end {seed} {}", outcome.replace('\n', " "));
    }
    ExitCode::SUCCESS
}

struct Random(u64);

impl Random {
    /// Xorshift: below `n`.
    fn below(&mut self, n: usize) -> usize {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        (self.0 % n.max(1) as u64) as usize
    }
}

type Part = (String, Vec<u8>);

/// The parts of a zip archive, if it is one.
fn unpacked(bytes: &[u8]) -> Option<Vec<Part>> {
    let mut zip = ZipArchive::new(Cursor::new(bytes)).ok()?;
    let mut parts = Vec::new();
    for index in 0..zip.len() {
        let mut part = zip.by_index(index).ok()?;
        let name = part.name().ok()?.into_owned();
        let mut bytes = Vec::new();
        part.read_to_end(&mut bytes).ok()?;
        parts.push((name, bytes));
    }
    Some(parts)
}

fn mutant(bytes: &[u8], parts: Option<&[Part]>, seed: u64) -> Vec<u8> {
    let mut random = Random(seed.wrapping_mul(0x9e37_79b9_7f4a_7c15) | 1);
    for _ in 0..8 {
        random.below(2);
    }
    match parts {
        // Most damage to an archive is seen by its check sums: what is in it is damaged, too.
        Some(parts) if !seed.is_multiple_of(4) => {
            let mut parts = parts.to_vec();
            let n = parts.len();
            match random.below(6) {
                0 => {
                    let (a, b) = (random.below(n), random.below(n));
                    let part = parts[a].1.clone();
                    parts[b].1 = part;
                }
                1 => {
                    parts.remove(random.below(n));
                }
                _ => {
                    for _ in 0..=random.below(3) {
                        let part = &mut parts[random.below(n)].1;
                        *part = damaged(part, &mut random);
                    }
                }
            }
            packed(&parts)
        }
        _ => damaged(bytes, &mut random),
    }
}

fn packed(parts: &[Part]) -> Vec<u8> {
    let mut zip = ZipWriter::new(Cursor::new(Vec::new()));
    for (name, bytes) in parts {
        let written = zip.start_file(name.as_str(), SimpleFileOptions::default());
        if written.is_ok() && zip.write_all(bytes).is_err() {
            break;
        }
    }
    zip.finish().map(Cursor::into_inner).unwrap_or_default()
}

fn damaged(bytes: &[u8], random: &mut Random) -> Vec<u8> {
    let mut bytes = bytes.to_vec();
    if bytes.is_empty() {
        return bytes;
    }
    for _ in 0..=random.below(4) {
        let n = bytes.len();
        let (from, to) = (random.below(n), random.below(n));
        let span = 1 + random.below((n / 4).clamp(1, 4096));
        match random.below(8) {
            0 => {
                for _ in 0..=random.below(40) {
                    let at = random.below(n);
                    bytes[at] ^= 1 << random.below(8);
                }
            }
            1 => bytes.truncate(from.max(1)),
            2 => {
                let piece = bytes[from..(from + span).min(n)].to_vec();
                bytes.splice(to..to, piece);
            }
            3 => bytes[from..(from + span).min(n)].fill(0),
            4 => {
                bytes.drain(from..(from + span).min(n));
            }
            // Numbers that say how much follows.
            5 => {
                let near = bytes[from..(from + 64).min(n)].iter_mut();
                for digit in near.filter(|byte| byte.is_ascii_digit()) {
                    *digit = b"0123456789"[random.below(10)];
                }
            }
            6 => {
                let huge: [&[u8]; 6] = [
                    b"99999999999",
                    b"-1",
                    b"\xff\xff\xff\xff",
                    b"<a><b><c>",
                    b"]]>\"'<!--",
                    b"<!DOCTYPE a [<!ENTITY b \"&b;&b;\">]>&b;",
                ];
                let piece = huge[random.below(huge.len())];
                bytes.splice(to..to, piece.iter().copied());
            }
            _ => {
                // Nested as deeply as it goes.
                let piece = bytes[from..(from + span.min(64)).min(n)].repeat(200);
                bytes.splice(to..to, piece);
            }
        }
        if bytes.is_empty() {
            bytes.push(b'<');
        }
    }
    bytes
}
