//! What does a dispatch have to read and to multiply?

use serde::{Deserialize, Serialize};

use crate::record::{Dispatch, KernelKey};

/// The least work of a dispatch, however it is done.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Cost {
    pub label: String,
    /// Weights and cache that are read once.
    pub bytes: u64,
    pub macs: u64,
}

fn symbol(key: &KernelKey, name: &str) -> u64 {
    key.defines.iter().find(|(known, _)| *known == name).map_or(0, |(_, value)| u64::from(*value))
}

/// Bytes of a block of 32 weights by the kernels' symbol `FMT…`.
fn block_bytes(format: u64) -> u64 {
    match format {
        4 => 20,
        5 => 24,
        6 => 28,
        8 => 36,
        16 => 64,
        _ => 128,
    }
}

/// The cost of `dispatch` for `n_tokens` tokens, the first of which sees `position` others. Kernels
/// that read no weights and no cache cost nothing: a bound, not an estimate.
pub fn cost(dispatch: &Dispatch, n_tokens: u32, position: u32) -> Cost {
    let key = &dispatch.kernel;
    let of = |name: &str| symbol(key, name);
    let (tokens, position) = (u64::from(n_tokens), u64::from(position));
    let (bytes, macs) = match key.name {
        "linear" => {
            let segments = of("SEGMENTS").max(of("SETS"));
            let sum = |each: &dyn Fn(u64, u64) -> u64| -> u64 {
                (0..segments)
                    .map(|i| each(of(&format!("SEG_ROWS{i}")), of(&format!("FMT{i}"))))
                    .sum()
            };
            let tokens = if of("TOKENS") > 1 { tokens } else { 1 };
            (
                sum(&|rows, format| rows * of("BLOCKS") * block_bytes(format)),
                sum(&|rows, _| rows * of("COLS") * tokens),
            )
        }
        "embed" => (tokens * of("BLOCKS") * block_bytes(of("FMT0")), 0),
        "attention" => {
            // Token t sees position + t + 1 keys, or the window.
            let window = if of("WINDOW") > 0 { of("WINDOW") } else { u64::MAX };
            let seen: u64 = (0..tokens).map(|t| (position + t + 1).min(window)).sum();
            let cached = (position + tokens).min(window.saturating_add(tokens));
            (
                2 * (if of("KV_HALF") == 1 { 2 } else { 4 })
                    * of("N_KV_HEADS")
                    * of("HEAD_DIM")
                    * cached,
                2 * of("N_HEADS") * of("HEAD_DIM") * seen,
            )
        }
        _ => (0, 0),
    };
    Cost { label: dispatch.label.clone().into_owned(), bytes, macs }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn dispatch(name: &'static str, defines: Vec<(&'static str, u32)>) -> Dispatch {
        Dispatch {
            kernel: KernelKey { name, defines },
            bindings: Vec::new(),
            workgroups: [1; 3],
            label: "it".into(),
        }
    }

    #[test]
    fn a_product_reads_its_weights_once_and_multiplies_for_every_token() {
        let symbols = vec![
            ("SEGMENTS", 2),
            ("SETS", 1),
            ("BLOCKS", 2),
            ("COLS", 64),
            ("TOKENS", 8),
            ("SEG_ROWS0", 10),
            ("FMT0", 4),
            ("SEG_ROWS1", 5),
            ("FMT1", 8),
        ];
        let cost = cost(&dispatch("linear", symbols), 3, 7);
        assert_eq!((cost.bytes, cost.macs), (10 * 2 * 20 + 5 * 2 * 36, 15 * 64 * 3));
    }

    #[test]
    fn attention_sees_what_stands_before() {
        let symbols = vec![("HEAD_DIM", 64), ("N_HEADS", 4), ("N_KV_HEADS", 2)];
        let cost = cost(&dispatch("attention", symbols), 2, 10);
        assert_eq!((cost.bytes, cost.macs), (2 * 4 * 2 * 64 * 12, 2 * 4 * 64 * (11 + 12)));
    }
}
