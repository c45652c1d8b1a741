//! `cargo xtask serve`: from a bare checkout to a page that chats.

use std::net::{IpAddr, Ipv4Addr, SocketAddr, ToSocketAddrs};
use std::process::{Command, ExitCode, Stdio};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use anyhow::Context;
use xtask::places::Places;
use xtask::step::seconds;

use crate::options::Options;
use crate::{model, packages, page, server};

/// Options with a value; those that are not this verb's own go to `portico serve`.
pub const VALUED: [&str; 4] = ["addr", "data", "config", "public-url"];
const PASSED_ON: [&str; 2] = ["config", "public-url"];

const ADDR: &str = "127.0.0.1:8080";
/// The first argument of the process that waits for the server beside it.
pub const ANNOUNCE: &str = "announce-server";

pub fn run(places: &Places, options: &Options) -> anyhow::Result<ExitCode> {
    let start = SystemTime::now();
    let addr = options.value("addr").unwrap_or(ADDR);
    let socket = reachable(addr)?;
    let data = data_folder(options)?;
    packages::ensure(&[packages::C_COMPILER, packages::PYTHON_PIP])?;
    let page = page::build(places, page::Kind::of(options))?;
    let program = server::build(places)?;
    model::ensure_default(places, &program, &data)?;

    let since_ms = start.duration_since(UNIX_EPOCH)?.as_millis().to_string();
    Command::new(std::env::current_exe()?)
        .args([ANNOUNCE, &socket.to_string(), &since_ms])
        .stdin(Stdio::null())
        .spawn()
        .context("starting the process that waits for the server")?;
    let mut portico = server::command(places, &program);
    portico.args(["serve", "--addr", addr, "--data"]).arg(&data).arg("--page").arg(page);
    for name in PASSED_ON {
        if let Some(value) = options.value(name) {
            portico.args([&format!("--{name}"), value]);
        }
    }
    server::become_program(portico)
}

/// Says when the server is well, where, and how long it took since the verb was called.
pub fn announce(arguments: &[String]) -> anyhow::Result<ExitCode> {
    let [addr, since_ms] = arguments else { anyhow::bail!("{ANNOUNCE} ADDR MILLISECONDS") };
    let addr: SocketAddr = addr.parse()?;
    server::wait_until_healthy(addr, Duration::from_secs(120))?;
    let start = UNIX_EPOCH + Duration::from_millis(since_ms.parse()?);
    let took = start.elapsed().unwrap_or_default();
    eprintln!(
        "\n✓ Portico is at http://{addr}/ ({} after the start; Ctrl-C stops it)",
        seconds(took)
    );
    Ok(ExitCode::SUCCESS)
}

/// `--data`, else `data` in the checkout; absolute.
pub fn data_folder(options: &Options) -> anyhow::Result<std::path::PathBuf> {
    let given = options.value("data").unwrap_or("data");
    std::path::absolute(given).with_context(|| format!("the data folder {given}"))
}

/// The address to ask for the server's health; a listener on all interfaces is asked on loopback.
fn reachable(addr: &str) -> anyhow::Result<SocketAddr> {
    let mut socket = addr
        .to_socket_addrs()
        .with_context(|| format!("--addr {addr}: it needs the form HOST:PORT"))?
        .next()
        .with_context(|| format!("--addr {addr} names no address"))?;
    if socket.ip().is_unspecified() {
        socket.set_ip(IpAddr::V4(Ipv4Addr::LOCALHOST));
    }
    Ok(socket)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn all_interfaces_are_asked_on_loopback() {
        assert_eq!(reachable("0.0.0.0:80").unwrap().to_string(), "127.0.0.1:80");
        assert_eq!(reachable("127.0.0.1:8080").unwrap().to_string(), "127.0.0.1:8080");
        assert!(reachable("8080").is_err());
    }
}
