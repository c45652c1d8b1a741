//! Something has changed: look again.
//!
//! Tasks of the one thread wait for a condition over shared state; whoever changes the state rings.

use std::cell::RefCell;
use std::future::poll_fn;
use std::rc::Rc;
use std::task::{Poll, Waker};

/// A bell that wakes all who wait; clones share it.
#[derive(Clone, Default)]
pub struct Signal {
    waiting: Rc<RefCell<Vec<Waker>>>,
}

impl Signal {
    pub fn ring(&self) {
        for waker in self.waiting.take() {
            waker.wake();
        }
    }

    /// Waits until `look` sees what it looks for; it is asked now and after each ring.
    pub async fn until<T>(&self, mut look: impl FnMut() -> Option<T>) -> T {
        poll_fn(|context| match look() {
            Some(seen) => Poll::Ready(seen),
            None => {
                self.waiting.borrow_mut().push(context.waker().clone());
                Poll::Pending
            }
        })
        .await
    }
}
