//! `portico extract`: the child process that reads one document, started by the server for itself.

use std::process::ExitCode;

use clap::Args;

/// What the parent says of the file on standard input.
#[derive(Debug, Args)]
pub struct ExtractArgs {
    order: String,
}

/// Reads standard input as the order says, and answers on standard output.
pub fn run(args: &ExtractArgs) -> ExitCode {
    portico_documents::child::run(&args.order)
}
