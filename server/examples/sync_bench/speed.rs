//! How many operations go through in a second, and how soon has a new device its list?

use std::path::Path;
use std::time::Instant;

use portico_shared::openai::Role;
use portico_shared::sync::wire::{Position, batch_end};
use portico_shared::sync::{Body, Head, Hlc, Merge, MessageContent, Op, Setting, uuid_v7};
use serde::Serialize;
use uuid::Uuid;

use super::house::House;

const N_CONVERSATIONS: u32 = 10_000;
/// Two questions and two answers.
const N_MESSAGES: u32 = 4;
const START_MS: u64 = 1_700_000_000_000;
/// About what a short answer has.
const TEXT: &str = "Die Grundsteuer wird von der Gemeinde erhoben. Ihre Höhe folgt aus dem \
    Grundsteuerwert, der Messzahl und dem Hebesatz, den der Rat beschließt; fällig ist sie in vier \
    Raten im Februar, Mai, August und November. Wer sie stunden lassen will, stellt einen Antrag.";

#[derive(Debug, Serialize)]
pub struct Speed {
    pub n_ops: usize,
    pub line_bytes: usize,
    pub push_s: f64,
    pub push_ops_per_s: f64,
    pub pull_s: f64,
    pub pull_ops_per_s: f64,
    pub n_conversations: u32,
    /// Heads from the server, decoded, merged and sorted: natively, without a browser.
    pub list_s: f64,
    pub head_bytes: usize,
    /// The same by reading the whole log.
    pub replay_s: f64,
    pub database_bytes: u64,
}

pub fn run(program: &Path, data: &Path) -> Speed {
    let house = House::open(program, data);
    let lines = lines();
    let line_bytes = lines.iter().map(String::len).sum();

    let begun = Instant::now();
    let mut rest = &lines[..];
    while !rest.is_empty() {
        let (now, later) = rest.split_at(batch_end(rest.iter().map(String::len)));
        let batch: Vec<&str> = now.iter().map(String::as_str).collect();
        let pushed = house.push(&batch).expect("a push");
        assert_eq!(pushed.n_new, now.len());
        rest = later;
    }
    let push_s = begun.elapsed().as_secs_f64();

    let begun = Instant::now();
    let mut position = Position::default();
    let mut pulled = Vec::with_capacity(lines.len());
    loop {
        let (page, lines) = house.pull(position).expect("a pull");
        position.pulled(&page);
        pulled.extend(lines);
        if !page.has_more {
            break;
        }
    }
    let pull_s = begun.elapsed().as_secs_f64();
    assert!(pulled == lines, "what was pushed is pulled");

    let begun = Instant::now();
    let (merge, head_bytes) = heads(&house);
    let n_listed = merge.conversations().len();
    let list_s = begun.elapsed().as_secs_f64();
    assert_eq!(n_listed, N_CONVERSATIONS as usize);

    let begun = Instant::now();
    let ops: Vec<Op> = pulled.iter().map(|line| Op::from_json(line).expect("an op")).collect();
    let whole = Merge::from_ops(&ops);
    let is_same = whole.conversations() == merge.conversations();
    let replay_s = pull_s + begun.elapsed().as_secs_f64();
    assert!(is_same, "the heads' list differs");

    std::fs::write(data.join("cookie"), house.cookie()).expect("the cookie's file");
    drop(house);
    let database = std::fs::metadata(data.join(portico_server::db::FILE_NAME));
    Speed {
        n_ops: lines.len(),
        line_bytes,
        push_s,
        push_ops_per_s: lines.len() as f64 / push_s,
        pull_s,
        pull_ops_per_s: lines.len() as f64 / pull_s,
        n_conversations: N_CONVERSATIONS,
        list_s,
        head_bytes,
        replay_s,
        database_bytes: database.map_or(0, |file| file.len()),
    }
}

fn heads(house: &House) -> (Merge, usize) {
    let (mut merge, mut n_bytes) = (Merge::default(), 0);
    let mut after = String::new();
    loop {
        let (page, heads) = house.snapshot(&after).expect("a snapshot");
        for head in heads {
            n_bytes += head.len();
            merge.absorb(&Head::from_json(&head).expect("a head"));
        }
        match page.after {
            Some(next) => after = format!("?after={next}"),
            None => return (merge, n_bytes),
        }
    }
}

fn lines() -> Vec<String> {
    let mut lines = Vec::new();
    let mut ms = START_MS;
    let id = |ms: &mut u64| {
        *ms += 1;
        // A multiplicative hash: ids differ where random ones do.
        let mixed = ms.wrapping_mul(0x9E37_79B9_7F4A_7C15).to_le_bytes();
        let mut random = [0; 10];
        random[..8].copy_from_slice(&mixed);
        uuid_v7(*ms, &random)
    };
    let mut write = |ms: &mut u64, op: Uuid, body: Body| {
        lines.push(Op::new(op, Hlc { ms: *ms, n: 0 }, body).to_json());
    };
    for n in 0..N_CONVERSATIONS {
        let (conversation, op) = (id(&mut ms), id(&mut ms));
        write(&mut ms, op, Body::CreateConversation { conversation });
        let title = Some(format!("Gespräch {n} über die Grundsteuer"));
        let op = id(&mut ms);
        write(&mut ms, op, Body::Set { conversation, setting: Setting::Title(title) });
        let mut parent = None;
        for turn in 0..N_MESSAGES {
            let (message, op) = (id(&mut ms), id(&mut ms));
            let role = if turn % 2 == 0 { Role::User } else { Role::Assistant };
            let content = MessageContent::done(format!("{n} {turn} {TEXT}"));
            let body = Body::AddMessage { conversation, message, parent, role, content };
            write(&mut ms, op, body);
            parent = Some(message);
        }
    }
    lines
}
