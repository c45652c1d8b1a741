//! How do a few threads share work that takes microseconds?
//!
//! A step of a model is hundreds of small products, one behind the other. The pool's threads wait
//! for the next one by spinning for a moment and sleep only when none comes; chunks are claimed one
//! by one, so that a thread that the system took away holds nobody up, and one that has not woken
//! yet is not waited for.

use std::cell::UnsafeCell;
use std::hint::spin_loop;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::atomic::{AtomicBool, AtomicU64, AtomicUsize, Ordering, fence};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread::{self, JoinHandle, Thread};

/// Looks for work before a thread sleeps: some 50 µs.
const SPINS: u32 = 2_000;
/// Looks for the others' end before this thread lets somebody else run.
const SPINS_BEFORE_YIELD: u32 = 10_000;

/// Set in the state while threads may join.
const OPEN: u64 = 1 << 31;
/// Threads inside the job.
const INSIDE: u64 = OPEN - 1;

type Job<'a> = dyn Fn(usize) + Sync + 'a;

struct Shared {
    /// Job number in the upper half, [`OPEN`], and how many threads are inside.
    state: AtomicU64,
    job: UnsafeCell<Option<*const Job<'static>>>,
    n_chunks: AtomicUsize,
    next_chunk: AtomicUsize,
    n_asleep: AtomicUsize,
    has_panicked: AtomicBool,
    is_over: AtomicBool,
}

// SAFETY: `job` is written only while no thread is inside and none can join.
unsafe impl Send for Shared {}
// SAFETY: as above.
unsafe impl Sync for Shared {}

/// Threads that wait for work. The caller's thread is one of them.
pub struct Pool {
    shared: Arc<Shared>,
    threads: Vec<JoinHandle<()>>,
    wakers: Vec<Thread>,
    /// One job at a time.
    turn: Mutex<()>,
}

impl Pool {
    /// A pool of `n_threads`, of which the caller is one.
    pub fn new(n_threads: usize) -> Self {
        let shared = Arc::new(Shared {
            state: AtomicU64::new(0),
            job: UnsafeCell::new(None),
            n_chunks: AtomicUsize::new(0),
            next_chunk: AtomicUsize::new(0),
            n_asleep: AtomicUsize::new(0),
            has_panicked: AtomicBool::new(false),
            is_over: AtomicBool::new(false),
        });
        let start = |index: usize| {
            let shared = Arc::clone(&shared);
            thread::Builder::new().name(format!("kernels-{index}")).spawn(move || work(&shared))
        };
        // Fewer threads than asked for compute the same, more slowly.
        let threads: Vec<_> = (1..n_threads).filter_map(|index| start(index).ok()).collect();
        let wakers = threads.iter().map(|thread| thread.thread().clone()).collect();
        Self { shared, threads, wakers, turn: Mutex::new(()) }
    }

    pub fn n_threads(&self) -> usize {
        self.threads.len() + 1
    }

    /// Calls `job` once for each of `n_chunks` chunks, on all threads, and returns when all are done.
    ///
    /// # Panics
    /// When `job` does.
    pub fn run(&self, n_chunks: usize, job: &Job<'_>) {
        if n_chunks <= 1 || self.threads.is_empty() {
            (0..n_chunks).for_each(job);
            return;
        }
        let _turn = self.turn.lock().unwrap_or_else(PoisonError::into_inner);
        let shared = &*self.shared;
        // SAFETY: the lifetime is longer than what it is used for: nobody is inside when this
        // function returns, and nobody joins a closed job.
        let erased: *const Job<'static> =
            unsafe { std::mem::transmute::<*const Job<'_>, *const Job<'static>>(job) };
        // SAFETY: the last job is closed and empty.
        unsafe { *shared.job.get() = Some(erased) };
        shared.n_chunks.store(n_chunks, Ordering::Relaxed);
        shared.next_chunk.store(0, Ordering::Relaxed);
        let number = (shared.state.load(Ordering::Relaxed) >> 32).wrapping_add(1) & 0xffff_ffff;
        shared.state.store(number << 32 | OPEN, Ordering::Release);
        fence(Ordering::SeqCst);
        if shared.n_asleep.load(Ordering::Relaxed) > 0 {
            self.wakers.iter().for_each(Thread::unpark);
        }
        let own = catch_unwind(AssertUnwindSafe(|| shared.claim(job)));
        shared.state.fetch_and(!OPEN, Ordering::AcqRel);
        let mut spins = 0;
        while shared.state.load(Ordering::Acquire) & INSIDE != 0 {
            spins += 1;
            if spins < SPINS_BEFORE_YIELD { spin_loop() } else { thread::yield_now() }
        }
        let others_panicked = shared.has_panicked.swap(false, Ordering::AcqRel);
        if let Err(panic) = own {
            std::panic::resume_unwind(panic);
        }
        assert!(!others_panicked, "a kernel panicked");
    }
}

impl Drop for Pool {
    fn drop(&mut self) {
        self.shared.is_over.store(true, Ordering::SeqCst);
        for thread in self.threads.drain(..) {
            thread.thread().unpark();
            // A panic of its own was told by `run`.
            let _ = thread.join();
        }
    }
}

impl Shared {
    fn claim(&self, job: &Job<'_>) {
        let n_chunks = self.n_chunks.load(Ordering::Relaxed);
        loop {
            let chunk = self.next_chunk.fetch_add(1, Ordering::Relaxed);
            if chunk >= n_chunks {
                break;
            }
            job(chunk);
        }
    }

    /// Joins the open job, if it is another than `last`; its number if it did.
    fn join(&self, last: u64) -> Option<u64> {
        let state = self.state.load(Ordering::Acquire);
        if state & OPEN == 0 || state >> 32 == last {
            return None;
        }
        let joined =
            self.state.compare_exchange(state, state + 1, Ordering::AcqRel, Ordering::Relaxed);
        joined.ok().map(|state| state >> 32)
    }

    fn has_news(&self, last: u64) -> bool {
        let state = self.state.load(Ordering::SeqCst);
        (state & OPEN != 0 && state >> 32 != last) || self.is_over.load(Ordering::SeqCst)
    }
}

/// What a thread of the pool does.
fn work(shared: &Shared) {
    let mut last = 0;
    let mut spins = 0;
    while !shared.is_over.load(Ordering::Relaxed) {
        if let Some(number) = shared.join(last) {
            last = number;
            spins = 0;
            // SAFETY: inside an open job the pointer stands and what it points to lives.
            let job = unsafe { (*shared.job.get()).map(|job| &*job) };
            if let Some(job) = job
                && catch_unwind(AssertUnwindSafe(|| shared.claim(job))).is_err()
            {
                shared.has_panicked.store(true, Ordering::Release);
            }
            shared.state.fetch_sub(1, Ordering::AcqRel);
            continue;
        }
        spins += 1;
        if spins < SPINS {
            spin_loop();
            continue;
        }
        shared.n_asleep.fetch_add(1, Ordering::SeqCst);
        fence(Ordering::SeqCst);
        if !shared.has_news(last) {
            thread::park();
        }
        shared.n_asleep.fetch_sub(1, Ordering::SeqCst);
        spins = 0;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_chunk_is_done_once_whatever_the_number_of_threads() {
        for n_threads in [1, 2, 5] {
            let pool = Pool::new(n_threads);
            for n_chunks in [0, 1, 2, 3, 64, 1000] {
                let counts: Vec<AtomicUsize> = (0..n_chunks).map(|_| AtomicUsize::new(0)).collect();
                for round in 1..=20 {
                    pool.run(n_chunks, &|chunk| {
                        counts[chunk].fetch_add(1, Ordering::Relaxed);
                    });
                    assert!(counts.iter().all(|count| count.load(Ordering::Relaxed) == round));
                }
            }
        }
    }

    #[test]
    fn threads_that_sleep_are_woken() {
        let pool = Pool::new(3);
        for _ in 0..5 {
            thread::sleep(std::time::Duration::from_millis(5));
            let n = AtomicUsize::new(0);
            pool.run(100, &|_| {
                n.fetch_add(1, Ordering::Relaxed);
            });
            assert_eq!(n.into_inner(), 100);
        }
    }

    #[test]
    fn a_panic_of_a_chunk_is_the_callers_and_the_pool_goes_on() {
        let pool = Pool::new(2);
        let failed = catch_unwind(AssertUnwindSafe(|| {
            pool.run(10, &|chunk| assert!(chunk != 7, "seven"));
        }));
        assert!(failed.is_err());
        let n = AtomicUsize::new(0);
        pool.run(10, &|_| {
            n.fetch_add(1, Ordering::Relaxed);
        });
        assert_eq!(n.into_inner(), 10);
    }
}
