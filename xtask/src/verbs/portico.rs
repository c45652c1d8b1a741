//! `cargo xtask portico …`: the server's own command line, on the data folder of `serve`.

use std::process::ExitCode;

use xtask::places::Places;

use crate::server;

pub fn run(places: &Places, mut arguments: Vec<String>) -> anyhow::Result<ExitCode> {
    let named =
        arguments.iter().any(|argument| argument == "--data" || argument.starts_with("--data="));
    let asks_for_help = arguments.is_empty()
        || arguments
            .iter()
            .any(|argument| ["help", "--help", "-h", "--version"].contains(&argument.as_str()));
    if !named && !asks_for_help {
        let data = std::path::absolute("data")?;
        arguments.extend(["--data".to_owned(), data.to_string_lossy().into_owned()]);
    }
    let program = server::build(places)?;
    let mut portico = server::command(places, &program);
    portico.args(arguments);
    server::become_program(portico)
}
