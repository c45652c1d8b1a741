//! Does sync lose nothing, and how fast is it? `cargo xtask bench sync` runs it:
//! `sync_bench --program portico --json out.json [--rounds 1000] [--seed 1] [--keep folder]`
//!
//! `folder` is left behind as a data folder with ten thousand conversations, and the cookie of whose they
//! are in `cookie`: the page is measured with it.
#![allow(clippy::expect_used, reason = "a measurement ends where something fails")]

mod chaos;
mod house;
mod speed;

use std::path::PathBuf;
use std::time::Instant;

use anyhow::Context as _;
use serde_json::json;

fn main() -> anyhow::Result<()> {
    let mut arguments = std::env::args().skip(1);
    let (mut program, mut out, mut keep) = (None, None, None);
    let (mut n_rounds, mut seed) = (1_000, 20_261_126);
    while let Some(name) = arguments.next() {
        let value = arguments.next().with_context(|| format!("{name} has no value"))?;
        match name.as_str() {
            "--program" => program = Some(PathBuf::from(value)),
            "--json" => out = Some(PathBuf::from(value)),
            "--keep" => keep = Some(PathBuf::from(value)),
            "--rounds" => n_rounds = value.parse()?,
            "--seed" => seed = value.parse()?,
            _ => anyhow::bail!("{name}: there is --program, --json, --keep, --rounds, --seed"),
        }
    }
    let program = program.context("--program")?;
    let folder = tempfile::tempdir()?;

    let data = keep.unwrap_or_else(|| folder.path().join("speed"));
    std::fs::create_dir_all(&data)?;
    let speed = speed::run(&program, &data);
    println!("{} operations, {} bytes", speed.n_ops, speed.line_bytes);
    println!("push   {:>9.0} operations/s", speed.push_ops_per_s);
    println!("pull   {:>9.0} operations/s", speed.pull_ops_per_s);
    println!(
        "list of {} conversations on a new device: {:.3} s ({} bytes of heads); by the whole log {:.3} s",
        speed.n_conversations, speed.list_s, speed.head_bytes, speed.replay_s
    );
    println!("database {} bytes", speed.database_bytes);

    let data = folder.path().join("chaos");
    std::fs::create_dir_all(&data)?;
    let begun = Instant::now();
    let report = chaos::run(&program, &data, n_rounds, seed);
    let chaos_s = begun.elapsed().as_secs_f64();
    println!("chaos  {report:?}\n       all converged, nothing lost; {chaos_s:.1} s");

    let json = json!({ "speed": speed, "chaos": report, "chaos_s": chaos_s, "seed": seed });
    if let Some(out) = out {
        std::fs::write(&out, serde_json::to_vec_pretty(&json)?)?;
    }
    anyhow::ensure!(
        speed.push_ops_per_s >= 5_000.0 && speed.pull_ops_per_s >= 5_000.0 && speed.list_s <= 1.5,
        "below the bar: 5000 operations/s, a list within 1.5 s"
    );
    Ok(())
}
