//! Whose turn is it on the one engine?
//!
//! First come, first served, over all tabs. A request is known by its tab and its id; sending it
//! twice runs it once.

use std::collections::VecDeque;

use crate::bus::TabId;
use crate::protocol::RequestId;

/// Who asked for what.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Ticket {
    pub tab: TabId,
    pub id: RequestId,
}

/// What became of a wish to stop a request.
#[derive(Debug, PartialEq, Eq)]
pub enum Stopped<J> {
    /// It had not begun and never will; here it is back.
    Waiting(J),
    /// It runs: whoever runs it must end it.
    Running,
    /// Never heard of, or long over.
    Unknown,
}

/// Requests in the order of their arrival, at most one of them running.
#[derive(Debug)]
pub struct Queue<J> {
    waiting: VecDeque<(Ticket, J)>,
    running: Option<Ticket>,
}

impl<J> Default for Queue<J> {
    fn default() -> Self {
        Self { waiting: VecDeque::new(), running: None }
    }
}

impl<J> Queue<J> {
    /// Adds a request at the end. False: it is waiting or running already.
    pub fn push(&mut self, ticket: Ticket, job: J) -> bool {
        let known = self.running.as_ref() == Some(&ticket)
            || self.waiting.iter().any(|(other, _)| *other == ticket);
        if !known {
            self.waiting.push_back((ticket, job));
        }
        !known
    }

    /// As [`Queue::push`], before all that wait.
    pub fn push_first(&mut self, ticket: Ticket, job: J) -> bool {
        let is_new = self.push(ticket, job);
        if is_new && let Some(last) = self.waiting.pop_back() {
            self.waiting.push_front(last);
        }
        is_new
    }

    /// Makes the first waiting request the running one. None while another runs.
    pub fn start_next(&mut self) -> Option<(Ticket, J)> {
        if self.running.is_some() {
            return None;
        }
        let (ticket, job) = self.waiting.pop_front()?;
        self.running = Some(ticket.clone());
        Some((ticket, job))
    }

    /// The running request is over.
    pub fn finish(&mut self) {
        self.running = None;
    }

    pub fn running(&self) -> Option<&Ticket> {
        self.running.as_ref()
    }

    pub fn is_idle(&self) -> bool {
        self.running.is_none() && self.waiting.is_empty()
    }

    /// Takes a request out of the queue, or says that it runs.
    pub fn stop(&mut self, ticket: &Ticket) -> Stopped<J> {
        if self.running.as_ref() == Some(ticket) {
            return Stopped::Running;
        }
        match self.waiting.iter().position(|(other, _)| other == ticket) {
            Some(at) => match self.waiting.remove(at) {
                Some((_, job)) => Stopped::Waiting(job),
                None => Stopped::Unknown,
            },
            None => Stopped::Unknown,
        }
    }

    /// A tab is gone: its waiting requests leave. True: its request runs and must be ended.
    pub fn forget_tab(&mut self, tab: &TabId) -> bool {
        self.waiting.retain(|(ticket, _)| ticket.tab != *tab);
        self.running.as_ref().is_some_and(|ticket| ticket.tab == *tab)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn ticket(tab: &str, id: &str) -> Ticket {
        Ticket { tab: TabId(tab.into()), id: id.into() }
    }

    #[test]
    fn first_come_first_served_and_one_at_a_time() {
        let mut queue = Queue::default();
        assert!(queue.push(ticket("a", "1"), 1));
        assert!(queue.push(ticket("b", "1"), 2));
        assert_eq!(queue.start_next(), Some((ticket("a", "1"), 1)));
        assert_eq!(queue.start_next(), None);
        queue.finish();
        assert_eq!(queue.start_next(), Some((ticket("b", "1"), 2)));
        queue.finish();
        assert!(queue.is_idle());
    }

    #[test]
    fn what_is_urgent_waits_for_nothing_but_what_runs() {
        let mut queue = Queue::default();
        queue.push(ticket("a", "1"), 1);
        queue.start_next();
        queue.push(ticket("a", "2"), 2);
        assert!(queue.push_first(ticket("b", "1"), 3));
        assert!(!queue.push_first(ticket("a", "2"), 2), "it keeps its place");
        queue.finish();
        assert_eq!(queue.start_next(), Some((ticket("b", "1"), 3)));
    }

    #[test]
    fn a_request_sent_twice_runs_once() {
        let mut queue = Queue::default();
        assert!(queue.push(ticket("a", "1"), 1));
        assert!(!queue.push(ticket("a", "1"), 1));
        assert!(queue.start_next().is_some());
        assert!(!queue.push(ticket("a", "1"), 1));
        queue.finish();
        assert_eq!(queue.start_next(), None);
    }

    #[test]
    fn stopping_tells_where_the_request_stood() {
        let mut queue = Queue::default();
        queue.push(ticket("a", "1"), 1);
        queue.push(ticket("a", "2"), 2);
        queue.start_next();
        assert_eq!(queue.stop(&ticket("a", "1")), Stopped::Running);
        assert_eq!(queue.stop(&ticket("a", "2")), Stopped::Waiting(2));
        assert_eq!(queue.stop(&ticket("a", "2")), Stopped::Unknown);
        queue.finish();
        assert!(queue.is_idle());
    }

    #[test]
    fn a_dead_tab_leaves_nothing_behind() {
        let mut queue = Queue::default();
        queue.push(ticket("a", "1"), 1);
        queue.push(ticket("b", "1"), 2);
        queue.push(ticket("a", "2"), 3);
        queue.start_next();
        assert!(queue.forget_tab(&TabId("a".into())));
        queue.finish();
        assert_eq!(queue.start_next(), Some((ticket("b", "1"), 2)));
        assert!(!queue.forget_tab(&TabId("a".into())));
    }
}
