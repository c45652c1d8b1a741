//! What does the child do? It gives up what it may not have, reads, answers, ends.

use std::io::{self, Read as _, Write as _};
use std::panic;
use std::process::ExitCode;
use std::thread;

use super::{Answer, Order, confine};
use crate::{ExtractError, Extracted, extract};

/// Deep recursion in a library is to end in an error, not in the guard page.
const STACK_BYTES: usize = 32 << 20;

/// Reads standard input as `order` says and answers on standard output.
pub fn run(order: &str) -> ExitCode {
    // Their words would go to the server's log; what they say is in the answer.
    panic::set_hook(Box::new(|_| {}));
    let answer = match serde_json::from_str::<Order>(order) {
        Ok(order) => match read(&order) {
            Ok(extracted) => Answer::Extracted(extracted),
            Err(error) => Answer::Failed(error),
        },
        Err(error) => Answer::Failed(ExtractError::Unavailable { reason: error.to_string() }),
    };
    let mut out = io::BufWriter::with_capacity(64 << 10, io::stdout().lock());
    match serde_json::to_writer(&mut out, &answer).map(|()| out.flush()) {
        Ok(Ok(())) => ExitCode::SUCCESS,
        _ => ExitCode::FAILURE,
    }
}

fn read(order: &Order) -> Result<Extracted, ExtractError> {
    let unavailable = |error: io::Error| match error.kind() {
        // No room for the file, or for the thread that is to read it.
        io::ErrorKind::OutOfMemory | io::ErrorKind::WouldBlock => {
            ExtractError::Memory { limit_mb: order.limits.memory_mb }
        }
        _ => ExtractError::Unavailable { reason: error.to_string() },
    };
    confine::limit(&order.limits).map_err(unavailable)?;
    let mut bytes = Vec::new();
    let most = order.limits.file_bytes.saturating_add(1);
    io::stdin().lock().take(most).read_to_end(&mut bytes).map_err(unavailable)?;
    let reader = thread::Builder::new().stack_size(STACK_BYTES);
    thread::scope(|scope| {
        let reading = || {
            confine::close_off()?;
            Ok(guarded(|| extract(&bytes, &order.hint, &order.limits)))
        };
        match reader.spawn_scoped(scope, reading).map(thread::ScopedJoinHandle::join) {
            Ok(Ok(Ok(extracted))) => extracted,
            Ok(Ok(Err(error))) | Err(error) => Err(unavailable(error)),
            Ok(Err(_)) => Err(ExtractError::Crashed { how: "a panic".to_owned() }),
        }
    })
}

/// A panic in a library is this file's failure.
pub fn guarded(
    read: impl FnOnce() -> Result<Extracted, ExtractError>,
) -> Result<Extracted, ExtractError> {
    panic::catch_unwind(panic::AssertUnwindSafe(read)).unwrap_or_else(|cause| {
        let text = cause.downcast_ref::<String>().map(String::as_str);
        let text = text.or(cause.downcast_ref::<&str>().copied()).unwrap_or("a panic");
        let how: String = format!("panic: {text}").chars().take(300).collect();
        Err(ExtractError::Crashed { how })
    })
}
