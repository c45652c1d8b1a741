//! What can the server's machine do for models?

use std::path::Path;
use std::sync::{Arc, OnceLock};
use std::time::Instant;

use portico_kernels::Isa;
use serde::Serialize;

use crate::inference::Inference;
use crate::models::Layout;

/// What is copied to see how fast memory is: more than caches hold.
const PROBE_BYTES: usize = 64 << 20;
const PROBES: usize = 3;

/// What was found.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Machine {
    /// As its maker calls it; empty where it does not say.
    pub cpu: String,
    /// The kernels that are used: `AVX-512 VNNI`, `AVX2`, `NEON`, …
    pub isa: &'static str,
    /// Whether these kernels are the slow ones, which run everywhere.
    pub is_plain: bool,
    pub n_cores: usize,
    pub n_threads: usize,
    /// `cuda` or `metal` where models are computed on a GPU.
    pub gpu: Option<&'static str>,
    pub memory_bytes: Option<u64>,
    pub memory_free_bytes: Option<u64>,
    /// For all models together.
    pub budget_bytes: u64,
    pub disk_free_bytes: Option<u64>,
    /// Measured: how fast weights can be read, which is what an answer waits for.
    pub memory_bytes_per_s: u64,
}

impl Machine {
    /// Looks at the machine; takes a tenth of a second at the first time.
    pub fn look(inference: &Arc<Inference>, layout: &Layout, n_threads: usize) -> Self {
        let isa = Isa::detect();
        // One that cannot be opened is told by `doctor` and by the first answer.
        let engine = inference.engine().map(|engine| engine.name()).unwrap_or("cpu");
        let meminfo = std::fs::read_to_string("/proc/meminfo").unwrap_or_default();
        let cpuinfo = std::fs::read_to_string("/proc/cpuinfo").unwrap_or_default();
        Self {
            cpu: model_name(&cpuinfo),
            isa: isa.name(),
            is_plain: isa == Isa::Plain,
            n_cores: std::thread::available_parallelism().map_or(1, usize::from),
            n_threads,
            gpu: Some(engine).filter(|name| matches!(*name, "cuda" | "metal")),
            memory_bytes: meminfo_bytes(&meminfo, "MemTotal:"),
            memory_free_bytes: meminfo_bytes(&meminfo, "MemAvailable:"),
            budget_bytes: inference.status().memory_budget_bytes,
            disk_free_bytes: disk_free_bytes(layout.models_dir()),
            memory_bytes_per_s: memory_bytes_per_s(n_threads),
        }
    }
}

/// Of the disk that models lie on; none where it does not say.
pub fn disk_free_bytes(models_dir: &Path) -> Option<u64> {
    // Before the first model the folder is not there yet.
    let there = models_dir.ancestors().find(|folder| folder.is_dir())?;
    fs4::available_space(there).ok()
}

fn model_name(cpuinfo: &str) -> String {
    let line = cpuinfo.lines().find(|line| line.starts_with("model name"));
    let name = line.and_then(|line| line.split_once(':')).map(|(_, name)| name.trim());
    name.unwrap_or_default().to_owned()
}

fn meminfo_bytes(meminfo: &str, name: &str) -> Option<u64> {
    let line = meminfo.lines().find_map(|line| line.strip_prefix(name))?;
    Some(line.trim().trim_end_matches("kB").trim().parse::<u64>().ok()? * 1024)
}

/// Bytes read and written a second when all threads copy; measured once.
fn memory_bytes_per_s(n_threads: usize) -> u64 {
    static MEASURED: OnceLock<u64> = OnceLock::new();
    *MEASURED.get_or_init(|| {
        let part_bytes = PROBE_BYTES / n_threads.max(1);
        let from = vec![1_u8; PROBE_BYTES];
        let mut to = vec![0_u8; PROBE_BYTES];
        let copy = |to: &mut [u8]| {
            let start = Instant::now();
            std::thread::scope(|scope| {
                for (from, to) in from.chunks(part_bytes).zip(to.chunks_mut(part_bytes)) {
                    scope.spawn(|| to.copy_from_slice(from));
                }
            });
            2.0 * PROBE_BYTES as f64 / start.elapsed().as_secs_f64().max(1e-6)
        };
        // The first pass also waits for the pages; the best is the machine's.
        (0..PROBES).map(|_| copy(&mut to)).fold(0.0, f64::max) as u64
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_machines_files_are_read() {
        let meminfo = "MemTotal:       24615956 kB\nMemAvailable:   20000000 kB\n";
        assert_eq!(meminfo_bytes(meminfo, "MemTotal:"), Some(24_615_956 * 1024));
        assert_eq!(meminfo_bytes("", "MemTotal:"), None);
        let cpuinfo = "processor\t: 0\nmodel name\t: Some CPU @ 2.5GHz\n";
        assert_eq!(model_name(cpuinfo), "Some CPU @ 2.5GHz");
        assert_eq!(model_name("processor: 0"), "");
        assert!(disk_free_bytes(Path::new("/nowhere/at/all")).is_some(), "the next that is there");
    }

    #[test]
    fn memory_is_faster_than_a_disk_and_slower_than_light() {
        let measured = memory_bytes_per_s(2);
        assert!((100_000_000..100_000_000_000_000).contains(&measured), "{measured}");
        assert_eq!(memory_bytes_per_s(1), measured, "it is measured once");
    }
}
