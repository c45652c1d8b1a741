//! The child process by itself, as the tests start it: `portico-extract extract ORDER`; for eyes,
//! `portico-extract show FILE…`; and `portico-extract mutants FILE FROM TO`, which reads a file damaged
//! in many ways.

mod mutants;

use std::process::ExitCode;

use portico_documents::{BlockKind, EXTRACT_VERB, Hint, Limits, child, extract};

fn main() -> ExitCode {
    let mut arguments = std::env::args().skip(1);
    match arguments.next().as_deref() {
        Some(EXTRACT_VERB) => child::run(&arguments.next().unwrap_or_default()),
        Some("show") => {
            for file in arguments {
                show(&file);
            }
            ExitCode::SUCCESS
        }
        Some("mutants") => {
            let arguments: Vec<String> = arguments.collect();
            match arguments.as_slice() {
                [file, from, to] => mutants::run(file, from, to),
                _ => ExitCode::from(2),
            }
        }
        _ => ExitCode::from(2),
    }
}

/// Prints a file's blocks, one a line.
fn show(file: &str) {
    let read = std::fs::read(file).map_err(|error| error.to_string());
    let extracted = read.and_then(|bytes| {
        extract(&bytes, &Hint::named(file), &Limits::default()).map_err(|error| error.to_string())
    });
    let extracted = match extracted {
        Ok(extracted) => extracted,
        Err(error) => return println!("== {file}: {error}"),
    };
    println!("== {file}: {:?}, {:?} pages", extracted.title, extracted.n_pages);
    for warning in &extracted.warnings {
        println!("!! {warning:?}");
    }
    let mut chars = extracted.text.chars();
    let mut at = 0;
    let mut section = None;
    for block in &extracted.blocks {
        if block.section != section {
            section.clone_from(&block.section);
            println!("-- {}", section.as_deref().unwrap_or_default());
        }
        let skipped = (block.chars.start - at) as usize;
        let text: String = chars.by_ref().skip(skipped).take(block.chars.len()).collect();
        at = block.chars.end;
        let kind = match block.kind {
            BlockKind::Heading { level } => format!("h{level}"),
            BlockKind::Paragraph => "p".to_owned(),
            BlockKind::ListItem => "li".to_owned(),
            BlockKind::Table => "table".to_owned(),
            BlockKind::Code => "code".to_owned(),
        };
        let page = block.page.map(|page| format!("@{page}")).unwrap_or_default();
        println!("{kind}{page}: {}", text.replace('\n', "⏎"));
    }
}
