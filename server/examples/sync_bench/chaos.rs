//! Do devices converge, and is nothing lost, whatever happens between?
//!
//! Five devices of one person edit offline and speak to a real server now and then. Requests and
//! answers are lost, sent twice, or arrive rounds later and in another order; the server is killed in
//! the middle. Every so often all is calm: then every device and the server must have exactly what was
//! ever written.

use std::collections::BTreeMap;
use std::path::Path;
use std::process::Command;
use std::thread;
use std::time::Duration;

use portico_shared::openai::Role;
use portico_shared::sync::wire::{Position, batch_end};
use portico_shared::sync::{
    Body, Clock, Head, Merge, MessageContent, MessageState, Op, Setting, uuid_v7,
};
use uuid::Uuid;

use super::house::House;

const N_DEVICES: usize = 5;
/// Rounds between two calms.
const CALM_EVERY: u32 = 10;
const START_MS: u64 = 1_700_000_000_000;

/// What happened.
#[derive(Debug, Default, serde::Serialize)]
pub struct Report {
    pub n_rounds: u32,
    pub n_ops: usize,
    pub n_kills: u32,
    pub n_lost: u32,
    pub n_twice: u32,
    pub n_late: u32,
    pub n_new_devices: u32,
    pub n_calms: u32,
}

/// Runs so many rounds.
///
/// # Panics
/// When devices differ or something is lost; the seed says how to see it again.
pub fn run(program: &Path, data: &Path, n_rounds: u32, seed: u64) -> Report {
    let mut house = House::open(program, data);
    let mut chance = Chance(seed | 1);
    let mut devices: Vec<Device> = (0..N_DEVICES).map(|n| Device::new(n as u8)).collect();
    let mut ledger = Ledger::default();
    let mut late: Vec<Late> = Vec::new();
    let mut report = Report { n_rounds, ..Report::default() };
    for round in 1..=n_rounds {
        let now_ms = START_MS + u64::from(round) * 1_000;
        let killer = chance.one_in(12).then(|| {
            let (pid, after) = (house.pid(), Duration::from_micros(chance.below(4_000)));
            thread::spawn(move || {
                thread::sleep(after);
                Command::new("kill").args(["-KILL", &pid.to_string()]).status()
            })
        });
        for device in &mut devices {
            for _ in 0..chance.below(4) {
                device.edit(&mut chance, now_ms, &mut ledger);
            }
            if chance.one_in(2) {
                device.push(&house, &mut chance, &mut late, &mut report);
            }
            if chance.one_in(2) {
                device.pull(&house, &mut chance, &mut late, &mut report);
            }
        }
        if !late.is_empty() && chance.one_in(2) {
            let at = chance.below(late.len() as u64) as usize;
            late.swap_remove(at).arrive(&house, &mut devices);
        }
        if let Some(killer) = killer {
            killer.join().expect("the killer").expect("kill");
            report.n_kills += 1;
            house.kill();
        }
        if round % CALM_EVERY == 0 || round == n_rounds {
            report.n_calms += 1;
            calm(&mut house, &mut devices, &ledger, &format!("seed {seed}, round {round}"));
            if chance.one_in(3) {
                let at = chance.below(N_DEVICES as u64) as usize;
                devices[at] = Device::from_snapshot(at as u8, &house, &ledger);
                report.n_new_devices += 1;
            }
        }
    }
    report.n_ops = ledger.ops.len();
    report
}

/// All speak until nobody has anything to say; then all must be the same.
fn calm(house: &mut House, devices: &mut [Device], ledger: &Ledger, when: &str) {
    house.revive();
    for device in &mut *devices {
        device.push_all(house);
    }
    for device in &mut *devices {
        device.pull_all(house);
    }
    let whole = Merge::from_ops(ledger.ops.values());
    for device in &*devices {
        assert!(device.pending.is_empty(), "{when}: device {} has unsent operations", device.n);
        assert!(device.merge == whole, "{when}: device {} differs", device.n);
    }
    let mut position = Position::default();
    let mut on_server: BTreeMap<Uuid, Op> = BTreeMap::new();
    loop {
        let (page, lines) = house.pull(position).expect("a calm pull");
        for line in lines {
            let op = Op::from_json(&line).expect("what was pushed");
            let before = on_server.insert(op.id, op);
            assert!(before.is_none(), "{when}: an operation stands twice in the log");
        }
        position.pulled(&page);
        if !page.has_more {
            break;
        }
    }
    for op in ledger.ops.values() {
        let is_kept = on_server.get(&op.id) == Some(op);
        assert!(is_kept || whole.is_superseded_draft(op), "{when}: the server lost {op:?}");
    }
    assert!(Merge::from_ops(on_server.values()) == whole, "{when}: the server differs");
}

/// Everything that anybody ever wrote.
#[derive(Default)]
struct Ledger {
    ops: BTreeMap<Uuid, Op>,
}

/// A message that arrives when nobody expects it any more.
enum Late {
    /// A push, sent again.
    Push(Vec<String>),
    /// A pull's answer, heard again.
    Pulled { device: usize, lines: Vec<String> },
}

impl Late {
    fn arrive(self, house: &House, devices: &mut [Device]) {
        match self {
            Self::Push(lines) => {
                let lines: Vec<&str> = lines.iter().map(String::as_str).collect();
                // Whether it arrives or not is all the same.
                house.push(&lines).ok();
            }
            Self::Pulled { device, lines } => devices[device].merge_lines(&lines),
        }
    }
}

struct Device {
    n: u8,
    merge: Merge,
    clock: Clock,
    position: Position,
    /// Written here and not known to be on the server.
    pending: BTreeMap<Uuid, String>,
    conversations: Vec<Uuid>,
    messages: Vec<(Uuid, Uuid)>,
}

impl Device {
    fn new(n: u8) -> Self {
        Self {
            n,
            merge: Merge::default(),
            clock: Clock::default(),
            position: Position::default(),
            pending: BTreeMap::new(),
            conversations: Vec::new(),
            messages: Vec::new(),
        }
    }

    /// A device that was never here: it lists what there is before it reads the log.
    fn from_snapshot(n: u8, house: &House, ledger: &Ledger) -> Self {
        let mut device = Self::new(n);
        let mut after = String::new();
        loop {
            let (page, heads) = house.snapshot(&after).expect("a calm snapshot");
            for head in heads {
                device.merge.absorb(&Head::from_json(&head).expect("a head"));
            }
            let Some(next) = page.after else { break };
            after = format!("?after={next}");
        }
        let whole = Merge::from_ops(ledger.ops.values());
        assert!(device.merge.conversations() == whole.conversations(), "the heads' list differs");
        device.pull_all(house);
        assert!(device.merge == whole, "a new device differs");
        device
    }

    fn edit(&mut self, chance: &mut Chance, now_ms: u64, ledger: &mut Ledger) {
        // Clocks of devices differ by up to a minute.
        let now_ms = now_ms + u64::from(self.n) * 12_000;
        let conversation = self.conversations.get(chance.below(8) as usize).copied();
        let at = chance.below(self.messages.len().max(1) as u64) as usize;
        let message = self.messages.get(at).copied();
        let body = match (chance.below(10), conversation, message) {
            (0..=1, ..) | (_, None, _) => {
                let conversation = chance.id(now_ms);
                self.conversations.insert(0, conversation);
                Body::CreateConversation { conversation }
            }
            (2, Some(conversation), _) => {
                let setting = match chance.below(3) {
                    0 => Setting::Title(Some(chance.word())),
                    1 => Setting::Folder(chance.one_in(2).then(|| chance.word())),
                    _ => Setting::Pinned(chance.one_in(2)),
                };
                Body::Set { conversation, setting }
            }
            (3, Some(conversation), _) => {
                Body::DeleteConversation { conversation, deleted: chance.one_in(2) }
            }
            (4, _, Some((_, message))) => Body::ChooseBranch { message },
            (5, _, Some((_, message))) => {
                Body::DeleteMessage { message, deleted: chance.one_in(2) }
            }
            (6..=7, _, Some((_, message))) => {
                let state = match chance.below(4) {
                    0 => MessageState::Done,
                    1 => MessageState::Stopped,
                    _ => MessageState::Draft,
                };
                Body::WriteMessage { message, content: chance.content(state) }
            }
            (_, Some(conversation), _) => {
                let message = chance.id(now_ms);
                let parent = self.messages.iter().rev().find(|(of, _)| *of == conversation);
                let parent = parent.map(|&(_, parent)| parent);
                self.messages.push((conversation, message));
                let content = chance.content(MessageState::Done);
                Body::AddMessage { conversation, message, parent, role: Role::User, content }
            }
        };
        let op = Op::new(chance.id(now_ms), self.clock.tick(now_ms), body);
        self.merge.apply(&op);
        self.pending.insert(op.id, op.to_json());
        ledger.ops.insert(op.id, op);
    }

    /// One push of what is pending, in any order, with what may befall it.
    fn push(
        &mut self,
        house: &House,
        chance: &mut Chance,
        late: &mut Vec<Late>,
        report: &mut Report,
    ) {
        let mut batch: Vec<(Uuid, String)> =
            self.pending.iter().map(|(&id, json)| (id, json.clone())).collect();
        chance.shuffle(&mut batch);
        batch.truncate(1 + chance.below(20) as usize);
        let lines: Vec<&str> = batch.iter().map(|(_, json)| json.as_str()).collect();
        if lines.is_empty() {
            return;
        }
        if chance.one_in(8) {
            late.push(Late::Push(lines.iter().map(|&line| line.to_owned()).collect()));
            report.n_late += 1;
        }
        if chance.one_in(6) {
            report.n_lost += 1;
            return;
        }
        let mut heard = house.push(&lines);
        if chance.one_in(6) {
            report.n_twice += 1;
            heard = house.push(&lines);
        }
        if chance.one_in(6) {
            report.n_lost += 1;
            return;
        }
        if let Ok(pushed) = heard {
            assert!(pushed.refused.is_empty(), "{:?}", pushed.refused);
            self.position.pushed(&pushed);
            batch.iter().for_each(|(id, _)| drop(self.pending.remove(id)));
        }
    }

    fn pull(
        &mut self,
        house: &House,
        chance: &mut Chance,
        late: &mut Vec<Late>,
        report: &mut Report,
    ) {
        let Ok((page, lines)) = house.pull(self.position) else { return };
        if chance.one_in(6) {
            report.n_late += 1;
            late.push(Late::Pulled { device: usize::from(self.n), lines: lines.clone() });
        }
        if chance.one_in(6) {
            report.n_lost += 1;
            return;
        }
        self.position.pulled(&page);
        self.merge_lines(&lines);
    }

    fn push_all(&mut self, house: &House) {
        while !self.pending.is_empty() {
            let lines: Vec<&str> = self.pending.values().map(String::as_str).collect();
            let end = batch_end(lines.iter().map(|line| line.len()));
            let pushed = house.push(&lines[..end]).expect("a calm push");
            assert!(pushed.refused.is_empty(), "{:?}", pushed.refused);
            self.position.pushed(&pushed);
            let ids: Vec<Uuid> = self.pending.keys().take(end).copied().collect();
            ids.iter().for_each(|id| drop(self.pending.remove(id)));
        }
    }

    fn pull_all(&mut self, house: &House) {
        loop {
            let (page, lines) = house.pull(self.position).expect("a calm pull");
            self.position.pulled(&page);
            self.merge_lines(&lines);
            if !page.has_more {
                return;
            }
        }
    }

    fn merge_lines(&mut self, lines: &[String]) {
        for line in lines {
            let op = Op::from_json(line).expect("what was pushed");
            match op.body {
                Body::CreateConversation { conversation }
                    if !self.conversations.contains(&conversation) =>
                {
                    self.conversations.insert(0, conversation);
                }
                Body::AddMessage { conversation, message, .. }
                    if !self.messages.contains(&(conversation, message)) =>
                {
                    self.messages.push((conversation, message));
                }
                _ => {}
            }
            self.merge.apply(&op);
        }
        self.clock = Clock::after(self.merge.latest());
    }
}

/// The same numbers for the same seed: xorshift64*.
struct Chance(u64);

impl Chance {
    fn next(&mut self) -> u64 {
        self.0 ^= self.0 >> 12;
        self.0 ^= self.0 << 25;
        self.0 ^= self.0 >> 27;
        self.0.wrapping_mul(0x2545_F491_4F6C_DD1D)
    }

    fn below(&mut self, n: u64) -> u64 {
        (self.next() >> 16) % n
    }

    fn one_in(&mut self, n: u64) -> bool {
        self.below(n) == 0
    }

    fn id(&mut self, now_ms: u64) -> Uuid {
        let (a, b) = (self.next().to_le_bytes(), self.next().to_le_bytes());
        let mut random = [0; 10];
        random[..8].copy_from_slice(&a);
        random[8..].copy_from_slice(&b[..2]);
        uuid_v7(now_ms, &random)
    }

    fn word(&mut self) -> String {
        const WORDS: [&str; 6] = ["Grundsteuer", "Kita", "Straße", "permit", "school", "Wahl"];
        WORDS[self.below(6) as usize].to_owned()
    }

    fn content(&mut self, state: MessageState) -> MessageContent {
        let n_words = 1 + self.below(30);
        let words: Vec<String> = (0..n_words).map(|_| self.word()).collect();
        MessageContent { state, ..MessageContent::done(words.join(" ")) }
    }

    fn shuffle<T>(&mut self, items: &mut [T]) {
        for at in (1..items.len()).rev() {
            items.swap(at, self.below(at as u64 + 1) as usize);
        }
    }
}
