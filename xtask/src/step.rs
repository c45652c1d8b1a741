//! What is being done, and how long did it take? One line for each step.

use std::fmt::Display;
use std::time::{Duration, Instant};

/// Says what is done, does it, and says how long it took and, if not empty, what came of it.
pub fn step<T, E: Display>(
    what: &str,
    work: impl FnOnce() -> Result<(T, String), E>,
) -> Result<T, E> {
    eprintln!("▸ {what} …");
    let start = Instant::now();
    let result = work();
    let took = seconds(start.elapsed());
    match result {
        Ok((value, note)) if note.is_empty() => {
            eprintln!("  {what}: done in {took}");
            Ok(value)
        }
        Ok((value, note)) => {
            eprintln!("  {what}: {note} ({took})");
            Ok(value)
        }
        Err(error) => {
            eprintln!("✗ {what}: failed after {took}: {error:#}");
            Err(error)
        }
    }
}

/// `0.3 s`, `12 s`, `3 min 07 s`.
pub fn seconds(took: Duration) -> String {
    let whole = took.as_secs();
    match whole {
        0..10 => format!("{:.1} s", took.as_secs_f64()),
        10..60 => format!("{whole} s"),
        _ => format!("{} min {:02} s", whole / 60, whole % 60),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn durations_read_well() {
        assert_eq!(seconds(Duration::from_millis(340)), "0.3 s");
        assert_eq!(seconds(Duration::from_secs(12)), "12 s");
        assert_eq!(seconds(Duration::from_secs(187)), "3 min 07 s");
    }

    #[test]
    fn a_failed_step_hands_its_error_on() {
        let failed: Result<(), String> = step("nothing", || Err("because".to_owned()));
        assert_eq!(failed, Err("because".to_owned()));
    }
}
