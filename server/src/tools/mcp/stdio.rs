//! How is a server of tools run on this machine? As a program of its own that gets `PATH`, `HOME` and what the
//! configuration names, speaks over its standard input and output, and ends with this one.

use std::process::Stdio;

use tokio::io::{AsyncBufReadExt as _, BufReader};
use tokio::process::{ChildStdin, ChildStdout, Command};

use super::super::plain;
use crate::config::McpConfig;

/// What it says on its standard error that reaches the log, since its start.
const SAID_MAX_BYTES: usize = 64 << 10;
const LINE_CHARS_MAX: usize = 300;

/// Ended when it is dropped.
pub struct Child(#[expect(dead_code, reason = "held so that it lives")] tokio::process::Child);

pub fn start(config: &McpConfig) -> Result<(Child, ChildStdout, ChildStdin), String> {
    let program = config.command.as_deref().unwrap_or_default();
    let mut command = Command::new(program);
    command.args(&config.args).env_clear().kill_on_drop(true);
    for name in ["PATH", "HOME"] {
        if let Some(value) = std::env::var_os(name) {
            command.env(name, value);
        }
    }
    command.envs(&config.env);
    command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
    let mut child = command.spawn().map_err(|error| format!("{program}: {error}"))?;
    let (output, input) = (child.stdout.take(), child.stdin.take());
    let (Some(output), Some(input)) = (output, input) else {
        return Err(format!("{program}: it has no input or output"));
    };
    if let Some(said) = child.stderr.take() {
        tokio::spawn(log(config.id.clone(), said));
    }
    Ok((Child(child), output, input))
}

/// Passes what it says on to the log, and reads on without it when that was much.
async fn log(id: String, said: tokio::process::ChildStderr) {
    let mut said = BufReader::new(said);
    let (mut line, mut n_bytes) = (Vec::new(), 0);
    loop {
        line.clear();
        // A line without an end is taken in pieces.
        let mut piece = tokio::io::AsyncReadExt::take(&mut said, 4 << 10);
        match piece.read_until(b'\n', &mut line).await {
            Ok(0) | Err(_) => return,
            Ok(n) => {
                let was_within = n_bytes <= SAID_MAX_BYTES;
                n_bytes = n_bytes.saturating_add(n);
                let text = plain::line(&String::from_utf8_lossy(&line), LINE_CHARS_MAX);
                match n_bytes <= SAID_MAX_BYTES {
                    true if !text.is_empty() => tracing::info!(mcp = id, "{text}"),
                    false if was_within => tracing::info!(mcp = id, "it says more than is logged"),
                    _ => {}
                }
            }
        }
    }
}
