//! Which chunk is fetched next, and when is a file given up?
//!
//! Lowest missing chunk first, because the file goes to the GPU in order. At most `connections` at a
//! time; so a crash loses at most that many. Until the file's header is known to be usable only the
//! chunks up to a gate are fetched. A chunk whose digest does not fit is fetched again once.

use crate::chunk_set::ChunkSet;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum State {
    Missing { damaged_before: bool },
    Fetching { damaged_before: bool },
    Verified { damaged_before: bool },
}

/// A chunk did not fit its digest twice.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("chunk {chunk} did not fit its digest twice")]
pub struct DamagedTwice {
    pub chunk: usize,
}

/// The fetching of one file.
#[derive(Clone, Debug)]
pub struct FetchPlan {
    states: Vec<State>,
    connections: usize,
    /// Chunks from here on wait.
    gate: usize,
    n_fetching: usize,
}

impl FetchPlan {
    /// Plans what `verified` lacks, over at most `connections` (at least one) at a time. The gate is
    /// closed behind chunk 0.
    pub fn new(verified: &ChunkSet, connections: usize) -> Self {
        let state = |chunk| {
            if verified.contains(chunk) {
                State::Verified { damaged_before: false }
            } else {
                State::Missing { damaged_before: false }
            }
        };
        Self {
            states: (0..verified.n_chunks()).map(state).collect(),
            connections: connections.max(1),
            gate: 1,
            n_fetching: 0,
        }
    }

    /// Lets chunks below `n_chunks` through; `usize::MAX` for all. Never closes again.
    pub fn open_gate(&mut self, n_chunks: usize) {
        self.gate = self.gate.max(n_chunks);
    }

    /// The chunk to fetch now, which then counts as being fetched. None: all connections are busy or
    /// nothing is missing before the gate.
    pub fn start_next(&mut self) -> Option<usize> {
        if self.n_fetching >= self.connections {
            return None;
        }
        let (chunk, state) = self
            .states
            .iter_mut()
            .enumerate()
            .take(self.gate)
            .find(|(_, state)| matches!(state, State::Missing { .. }))?;
        if let State::Missing { damaged_before } = *state {
            *state = State::Fetching { damaged_before };
        }
        self.n_fetching += 1;
        Some(chunk)
    }

    /// A fetched chunk fitted its digest and was written.
    pub fn verified(&mut self, chunk: usize) {
        if let Some(damaged_before) = self.end_fetch(chunk) {
            self.states[chunk] = State::Verified { damaged_before };
        }
    }

    /// The fetch broke off or was aborted: the chunk is missing again.
    pub fn interrupted(&mut self, chunk: usize) {
        if let Some(damaged_before) = self.end_fetch(chunk) {
            self.states[chunk] = State::Missing { damaged_before };
        }
    }

    /// A chunk does not fit its digest, be it just fetched or read back from the store. The first
    /// time it is missing again.
    pub fn damaged(&mut self, chunk: usize) -> Result<(), DamagedTwice> {
        let damaged_before = match self.states.get(chunk) {
            Some(State::Fetching { .. }) => self.end_fetch(chunk).unwrap_or(false),
            Some(State::Verified { damaged_before } | State::Missing { damaged_before }) => {
                *damaged_before
            }
            None => return Ok(()),
        };
        self.states[chunk] = State::Missing { damaged_before: true };
        if damaged_before { Err(DamagedTwice { chunk }) } else { Ok(()) }
    }

    pub fn is_verified(&self, chunk: usize) -> bool {
        matches!(self.states.get(chunk), Some(State::Verified { .. }))
    }

    pub fn is_complete(&self) -> bool {
        self.states.iter().all(|state| matches!(state, State::Verified { .. }))
    }

    /// Takes a chunk out of those being fetched; gives whether it was damaged before.
    fn end_fetch(&mut self, chunk: usize) -> Option<bool> {
        let Some(State::Fetching { damaged_before }) = self.states.get(chunk).copied() else {
            return None;
        };
        self.n_fetching -= 1;
        Some(damaged_before)
    }
}

#[cfg(test)]
mod tests {
    use portico_shared::manifest::{CHUNK_BYTES, Chunk, Manifest};
    use proptest::prelude::*;

    use super::*;
    use crate::journal;

    #[test]
    fn the_header_comes_first_and_alone() {
        let mut plan = FetchPlan::new(&ChunkSet::empty(5), 3);
        assert_eq!(plan.start_next(), Some(0));
        assert_eq!(plan.start_next(), None);
        plan.verified(0);
        assert_eq!(plan.start_next(), None);
        plan.open_gate(2);
        assert_eq!(plan.start_next(), Some(1));
        assert_eq!(plan.start_next(), None);
        plan.open_gate(usize::MAX);
        assert_eq!(
            (plan.start_next(), plan.start_next(), plan.start_next()),
            (Some(2), Some(3), None)
        );
    }

    #[test]
    fn damaged_is_fetched_again_once() {
        let mut plan = FetchPlan::new(&ChunkSet::empty(1), 3);
        assert_eq!(plan.start_next(), Some(0));
        assert_eq!(plan.damaged(0), Ok(()));
        assert_eq!(plan.start_next(), Some(0));
        plan.interrupted(0);
        assert_eq!(plan.start_next(), Some(0));
        assert_eq!(plan.damaged(0), Err(DamagedTwice { chunk: 0 }));
    }

    #[test]
    fn damage_in_the_store_counts_as_damage() {
        let mut stored = ChunkSet::empty(1);
        stored.set(0, true);
        let mut plan = FetchPlan::new(&stored, 3);
        assert!(plan.is_complete());
        assert_eq!(plan.damaged(0), Ok(()));
        assert!(!plan.is_complete());
        assert_eq!(plan.start_next(), Some(0));
        plan.verified(0);
        assert_eq!(plan.damaged(0), Err(DamagedTwice { chunk: 0 }));
    }

    /// What may happen to the oldest fetch under way.
    #[derive(Clone, Debug)]
    enum Event {
        Fits,
        Breaks,
        Damaged,
        /// The tab dies, and everything is set up anew from the journal, cut by up to a record as a
        /// write under way is.
        Crash {
            torn_bytes: usize,
        },
    }

    fn events() -> impl Strategy<Value = Vec<Event>> {
        let event = prop_oneof![
            10 => Just(Event::Fits),
            2 => Just(Event::Breaks),
            1 => Just(Event::Damaged),
            2 => (0..journal::RECORD_BYTES).prop_map(|torn_bytes| Event::Crash { torn_bytes }),
        ];
        prop::collection::vec(event, 0..60)
    }

    proptest! {
        #[test]
        fn a_crash_costs_at_most_one_chunk_a_connection_and_only_verified_chunks_stand(
            n_chunks in 1..20usize,
            connections in 1..6usize,
            events in events(),
            pick in any::<u64>(),
        ) {
            let manifest = Manifest {
                model: "m".into(),
                sha256: "a".repeat(64),
                size_bytes: n_chunks as u64 * CHUNK_BYTES,
                chunk_bytes: CHUNK_BYTES,
                chunks: vec![Chunk { sha256: "0".repeat(64), size_bytes: CHUNK_BYTES }; n_chunks],
                prefixes: Default::default(),
            };
            let mut journal = journal::header(&manifest).to_vec();
            let mut on_disk = ChunkSet::empty(n_chunks);
            let mut plan = FetchPlan::new(&on_disk, connections);
            plan.open_gate(usize::MAX);
            let mut under_way: Vec<usize> = Vec::new();
            let mut given_up = false;
            for event in events {
                while let Some(chunk) = plan.start_next() {
                    prop_assert!(!on_disk.contains(chunk), "fetched what stands");
                    under_way.push(chunk);
                }
                prop_assert!(under_way.len() <= connections);
                if let Event::Crash { torn_bytes } = event {
                    // A record that is being written is cut; those before it were flushed.
                    let mut torn = journal.clone();
                    torn.extend(&journal::record(&manifest, 0, true)[..torn_bytes]);
                    let replay = journal::replay(&manifest, &torn);
                    prop_assert_eq!(&replay.verified, &on_disk);
                    journal = torn[..replay.end_bytes].to_vec();
                    // Lost: what was under way, one chunk a connection at most.
                    under_way.clear();
                    plan = FetchPlan::new(&replay.verified, connections);
                    plan.open_gate(usize::MAX);
                    continue;
                }
                if under_way.is_empty() {
                    break;
                }
                let chunk = under_way.remove((pick % under_way.len() as u64) as usize);
                match event {
                    Event::Fits => {
                        on_disk.set(chunk, true);
                        journal.extend(journal::record(&manifest, chunk, true));
                        plan.verified(chunk);
                    }
                    Event::Breaks => plan.interrupted(chunk),
                    Event::Damaged => given_up |= plan.damaged(chunk).is_err(),
                    Event::Crash { .. } => {}
                }
                for chunk in 0..n_chunks {
                    prop_assert_eq!(plan.is_verified(chunk), on_disk.contains(chunk));
                }
                if given_up {
                    break;
                }
            }
            prop_assert_eq!(plan.is_complete(), on_disk.is_full());
        }
    }
}
