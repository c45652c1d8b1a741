//! Rust from Debian's packages, where no toolchain component can be fetched but packages can.
//!
//! Debian's `rustc-web` has no standard library for Wasm, so it is built once from `rust-web-src`
//! (about two minutes on two cores), with bitcode embedded so that link-time optimisation works.

use std::env;
use std::fs;
use std::io;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use super::{Toolchain, WASM, has_std};
use crate::places::Places;

const PACKAGES: [&str; 5] =
    ["rustc-web", "cargo-web", "rust-web-src", "rust-web-clippy", "rustfmt-web"];
const TOOLS: [&str; 8] = [
    "rustc",
    "rustdoc",
    "cargo",
    "cargo-clippy",
    "clippy-driver",
    "cargo-fmt",
    "rustfmt",
    "rust-lld",
];

/// Installs what is missing. Fails with the command to run where only root may install.
pub fn ensure(places: &Places) -> io::Result<Toolchain> {
    let home = places.cache.join("rust-debian");
    let toolchain = Toolchain {
        rustup_name: None,
        bin: Some(home.join("bin")),
        described: "Rust from Debian's packages".to_owned(),
    };
    if toolchain.is_complete() {
        return Ok(toolchain);
    }
    install_packages()?;
    let host = host_triple()?;
    let sysroot = home.join("sysroot");
    lay_sysroot(&sysroot, &host)?;
    lay_tools(&home, &sysroot)?;
    let wasm_lib = sysroot.join("lib/rustlib").join(WASM).join("lib");
    if !has_std(&wasm_lib) {
        build_wasm_std(&home, &wasm_lib)?;
    }
    if toolchain.is_complete() {
        Ok(toolchain)
    } else {
        Err(io::Error::other(
            "Debian's Rust packages are installed, but they do not make a whole toolchain \
             (needed: rustc 1.96, clippy, rustfmt, wasm32): install one from https://rustup.rs",
        ))
    }
}

fn install_packages() -> io::Result<()> {
    let missing = PACKAGES.iter().any(|package| {
        !Command::new("dpkg-query")
            .args(["--show", "--showformat=${db:Status-Status}", package])
            .stderr(Stdio::null())
            .output()
            .is_ok_and(|output| output.stdout == b"installed")
    });
    if !missing {
        return Ok(());
    }
    let install = format!("apt-get install --no-install-recommends {}", PACKAGES.join(" "));
    let is_root = fs::metadata("/root").is_ok_and(|_| fs::read_dir("/root").is_ok());
    if !is_root {
        return Err(io::Error::other(format!(
            "no Rust toolchain with {WASM} is here and rustup cannot fetch one; as root, run: \
             {install}"
        )));
    }
    eprintln!("  {install}");
    run(Command::new("apt-get").args(["update", "-qq"]))?;
    run(Command::new("apt-get")
        .args(["install", "-y", "-qq", "--no-install-recommends"])
        .args(PACKAGES)
        .env("DEBIAN_FRONTEND", "noninteractive")
        .stdout(Stdio::null()))
}

fn host_triple() -> io::Result<String> {
    let output = Command::new("/usr/bin/rustc").arg("-vV").output()?;
    String::from_utf8_lossy(&output.stdout)
        .lines()
        .find_map(|line| line.strip_prefix("host: ").map(str::to_owned))
        .ok_or_else(|| io::Error::other("/usr/bin/rustc does not name its host"))
}

/// A sysroot of links into Debian's, with room for the Wasm std beside them.
fn lay_sysroot(sysroot: &Path, host: &str) -> io::Result<()> {
    let rustlib = sysroot.join("lib/rustlib");
    fs::create_dir_all(rustlib.join(WASM).join("lib"))?;
    let own = rustlib.join(host);
    fs::create_dir_all(own.join("bin"))?;
    let debian = Path::new("/usr/lib/rustlib").join(host);
    for entry in fs::read_dir(&debian)? {
        let entry = entry?;
        if entry.file_name() != "bin" {
            link(&entry.path(), &own.join(entry.file_name()))?;
        }
    }
    link(&find_lld(&debian)?, &own.join("bin/rust-lld"))
}

/// Debian's compiler has no linker for Wasm of its own: an LLVM linker that is here anyway.
fn find_lld(debian: &Path) -> io::Result<PathBuf> {
    let mut candidates = vec![debian.join("bin/rust-lld"), PathBuf::from("/usr/bin/wasm-ld")];
    if let Ok(output) = Command::new("rustc").args(["--print", "sysroot"]).output() {
        let sysroot = PathBuf::from(String::from_utf8_lossy(&output.stdout).trim());
        if let Some(host) = debian.file_name() {
            candidates.push(sysroot.join("lib/rustlib").join(host).join("bin/rust-lld"));
        }
    }
    for version in (14..=25).rev() {
        candidates.push(PathBuf::from(format!("/usr/lib/llvm-{version}/bin/lld")));
    }
    candidates.into_iter().find(|path| path.is_file()).ok_or_else(|| {
        io::Error::other("no linker for Wasm is here; as root, run: apt-get install lld")
    })
}

/// Links to Debian's tools; rustc and rustdoc are started with our sysroot.
fn lay_tools(home: &Path, sysroot: &Path) -> io::Result<()> {
    let bin = home.join("bin");
    fs::create_dir_all(&bin)?;
    for tool in TOOLS {
        let debian = Path::new("/usr/bin").join(tool);
        let own = bin.join(tool);
        if ["rustc", "rustdoc", "clippy-driver"].contains(&tool) {
            let script = format!(
                "#!/bin/sh\nexec {} --sysroot '{}' \"$@\"\n",
                debian.display(),
                sysroot.display()
            );
            fs::write(&own, script)?;
            make_executable(&own)?;
        } else if debian.exists() {
            link(&debian, &own)?;
        }
    }
    Ok(())
}

fn build_wasm_std(home: &Path, wasm_lib: &Path) -> io::Result<()> {
    eprintln!("  building the standard library for {WASM} from Debian's Rust sources");
    let work = home.join("std-build");
    fs::create_dir_all(work.join("src"))?;
    fs::write(work.join("src/lib.rs"), "#![no_std]\n")?;
    fs::write(
        work.join("Cargo.toml"),
        "[package]\nname = \"stdbuild\"\nversion = \"0.0.0\"\nedition = \"2021\"\n[workspace]\n",
    )?;
    let target = work.join("target");
    let path = env::var("PATH").unwrap_or_default();
    run(Command::new("/usr/bin/cargo")
        .args(["build", "--quiet", "--release", "--target", WASM])
        .arg("-Zbuild-std=std,panic_abort,test")
        .current_dir(&work)
        .env_remove("RUSTUP_TOOLCHAIN")
        .env("CARGO_TARGET_DIR", &target)
        .env("PATH", format!("/usr/bin:{path}"))
        .env("RUSTC", "/usr/bin/rustc")
        .env("RUSTC_BOOTSTRAP", "1")
        .env("RUSTFLAGS", "-C embed-bitcode=yes"))?;
    for entry in fs::read_dir(target.join(WASM).join("release/deps"))? {
        let path = entry?.path();
        let name = path.file_name().map(|name| name.to_string_lossy().into_owned());
        let Some(name) = name.filter(|name| name.ends_with(".rlib")) else { continue };
        if !name.starts_with("libstdbuild") {
            fs::copy(&path, wasm_lib.join(name))?;
        }
    }
    fs::remove_dir_all(&work)
}

fn run(command: &mut Command) -> io::Result<()> {
    let status = command.status()?;
    if status.success() {
        Ok(())
    } else {
        Err(io::Error::other(format!("{} ended with {status}", command.get_program().display())))
    }
}

#[cfg(unix)]
fn link(from: &Path, to: &Path) -> io::Result<()> {
    match fs::remove_file(to) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error),
        _ => {}
    }
    std::os::unix::fs::symlink(from, to)
}

#[cfg(unix)]
fn make_executable(path: &Path) -> io::Result<()> {
    use std::os::unix::fs::PermissionsExt;
    fs::set_permissions(path, fs::Permissions::from_mode(0o755))
}

#[cfg(not(unix))]
fn link(_from: &Path, _to: &Path) -> io::Result<()> {
    Err(io::Error::other("Debian's packages are for Debian: install Rust from https://rustup.rs"))
}

#[cfg(not(unix))]
fn make_executable(_path: &Path) -> io::Result<()> {
    Ok(())
}
