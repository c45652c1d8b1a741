//! Devices that edit offline, a network that loses, doubles and delays, a server that is killed.

use std::path::Path;

use crate::common::Folder;

#[path = "../../examples/sync_bench/chaos.rs"]
mod chaos;
#[allow(dead_code, reason = "the benchmark asks more of it")]
#[path = "../../examples/sync_bench/house.rs"]
pub mod house;

const N_ROUNDS: u32 = 1_000;

#[test]
fn devices_converge_and_nothing_is_lost() {
    let folder = Folder::new();
    let program = Path::new(env!("CARGO_BIN_EXE_portico"));
    let report = chaos::run(program, &folder.0, N_ROUNDS, 20_261_126);
    assert!(report.n_kills > 30 && report.n_lost > 200 && report.n_twice > 100, "{report:?}");
    assert!(report.n_late > 200 && report.n_ops > 5_000, "{report:?}");
}
