//! `portico`: the server's command line.

use std::process::ExitCode;

fn main() -> ExitCode {
    portico_server::cli::run()
}
