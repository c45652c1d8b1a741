//! The server's program: building it, starting it, seeing that it is well.

use std::io::{Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::path::PathBuf;
use std::process::Command;
use std::time::{Duration, Instant};

use xtask::places::Places;
use xtask::selection::SELECTION;
use xtask::step::step;

use crate::command;

/// Builds `portico` and gives its path.
pub fn build(places: &Places) -> anyhow::Result<PathBuf> {
    step("building the server", || {
        let mut cargo = command::cargo(places);
        cargo.args(["build", "--quiet", "--bin", "portico"]).args(SELECTION);
        command::run(&mut cargo)?;
        let name = format!("debug/portico{}", std::env::consts::EXE_SUFFIX);
        anyhow::Ok((places.target.join(name), String::new()))
    })
}

/// The program with the environment that all of its uses share.
pub fn command(places: &Places, program: &std::path::Path) -> Command {
    let mut command = Command::new(program);
    command.env("PORTICO_MODELS_CACHE", places.models());
    command
}

/// Becomes the program, so that signals and the exit code are its own.
#[cfg(unix)]
pub fn become_program(mut command: Command) -> anyhow::Result<std::process::ExitCode> {
    use std::os::unix::process::CommandExt;
    Err(command.exec().into())
}

#[cfg(not(unix))]
pub fn become_program(mut command: Command) -> anyhow::Result<std::process::ExitCode> {
    let code = command.status()?.code().and_then(|code| u8::try_from(code).ok());
    Ok(code.map_or(std::process::ExitCode::FAILURE, std::process::ExitCode::from))
}

/// Waits until `/healthz` answers 200; gives how long that took.
pub fn wait_until_healthy(addr: SocketAddr, patience: Duration) -> anyhow::Result<Duration> {
    let start = Instant::now();
    loop {
        if is_healthy(addr) {
            return Ok(start.elapsed());
        }
        if start.elapsed() > patience {
            anyhow::bail!("no answer from http://{addr}/healthz in {} s", patience.as_secs());
        }
        std::thread::sleep(Duration::from_millis(50));
    }
}

fn is_healthy(addr: SocketAddr) -> bool {
    let ask = || -> std::io::Result<String> {
        let mut stream = TcpStream::connect_timeout(&addr, Duration::from_secs(1))?;
        stream.set_read_timeout(Some(Duration::from_secs(2)))?;
        let request = format!("GET /healthz HTTP/1.1\r\nHost: {addr}\r\nConnection: close\r\n\r\n");
        stream.write_all(request.as_bytes())?;
        let mut start = [0; 16];
        stream.read_exact(&mut start)?;
        Ok(String::from_utf8_lossy(&start).into_owned())
    };
    ask().is_ok_and(|answer| answer.starts_with("HTTP/1.1 200"))
}
