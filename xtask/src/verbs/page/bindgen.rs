//! wasm-bindgen as a library: the JavaScript glue and the stripped-down wasm of one bin.

use std::path::Path;

use anyhow::Context;
use wasm_bindgen_cli_support::Bindgen;

/// Writes `<bin>.js`, `<bin>_bg.wasm` and the crates' own snippets into `folder`.
pub fn generate(bin: &str, wasm: &Path, folder: &Path, debug: bool) -> anyhow::Result<()> {
    Bindgen::new()
        .input_path(wasm)
        .out_name(bin)
        .typescript(false)
        .debug(debug)
        .keep_debug(debug)
        .remove_producers_section(true)
        .web(true)?
        .generate(folder)
        .with_context(|| format!("wasm-bindgen on {}", wasm.display()))
}
