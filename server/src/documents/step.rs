//! Where may a program die without harm? Everywhere: a test kills it behind each durable step.

/// Names a moment at which something has just become durable. In builds with debug assertions
/// `PORTICO_ABORT_AT=n` ends the process at the n-th of them, as a crash would.
pub fn step(name: &str) {
    #[cfg(debug_assertions)]
    {
        use std::sync::LazyLock;
        use std::sync::atomic::{AtomicU64, Ordering};
        static ABORT_AT: LazyLock<Option<u64>> = LazyLock::new(|| {
            let value = std::env::var("PORTICO_ABORT_AT").ok()?;
            value.parse().ok()
        });
        static COUNT: AtomicU64 = AtomicU64::new(0);
        if let Some(at) = *ABORT_AT
            && COUNT.fetch_add(1, Ordering::SeqCst) + 1 == at
        {
            eprintln!("aborted after `{name}`");
            std::process::abort();
        }
    }
    #[cfg(not(debug_assertions))]
    let _ = name;
}
