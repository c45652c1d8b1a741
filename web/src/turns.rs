//! Is this answer older than one that was taken already? Of two questions that are under way together, such
//! as who is signed in, the older one's answer may come last, and would stay for good.

use std::cell::Cell;

/// Numbers the questions of one kind.
#[derive(Debug, Default)]
pub struct Turns {
    asked: Cell<u64>,
    taken: Cell<u64>,
}

/// A question's place among them.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Turn(u64);

impl Turns {
    pub const fn new() -> Self {
        Self { asked: Cell::new(0), taken: Cell::new(0) }
    }

    /// Before a question is asked.
    pub fn next(&self) -> Turn {
        self.asked.set(self.asked.get() + 1);
        Turn(self.asked.get())
    }

    /// Whether nothing was asked behind it.
    pub fn is_last(&self, turn: Turn) -> bool {
        turn.0 == self.asked.get()
    }

    /// Whether its answer counts: none to a later question was taken.
    #[must_use]
    pub fn take(&self, turn: Turn) -> bool {
        let counts = turn.0 >= self.taken.get();
        if counts {
            self.taken.set(turn.0);
        }
        counts
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_answer_counts_unless_a_later_one_was_taken() {
        let turns = Turns::new();
        let (first, second, third) = (turns.next(), turns.next(), turns.next());
        assert!(turns.take(first));
        assert!(turns.take(third));
        assert!(!turns.take(second));
        assert!(turns.take(third), "what asks in several parts");
        let last = turns.next();
        assert!(turns.take(last));
        assert!(turns.is_last(last) && !turns.is_last(third));
    }
}
