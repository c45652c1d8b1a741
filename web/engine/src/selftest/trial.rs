//! What is one trial of a kernel: its inputs, what its twin makes of them, and how far off may the
//! device be?

use crate::linear::{ActKind, ActLayout};
use crate::record::{BufferId, KernelKey, Recording};
use crate::reference::{self, Bindings, Symbols};

/// How a written buffer is compared.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Written {
    F32,
    /// Two floats of 16 bits a word, each at most one step off: a device rounds as it likes.
    Half,
    /// Exactly.
    Words,
    Bundle(ActLayout),
}

/// A recording over small buffers, and the outputs to look at.
#[derive(Clone, Debug)]
pub struct Trial {
    pub title: String,
    pub recording: Recording,
    /// Initial words of each buffer, by [`BufferId`].
    pub words: Vec<Vec<u32>>,
    pub written: Vec<(BufferId, Written)>,
    /// Largest difference, relative to the largest value of the buffer, that rounding explains.
    pub tolerance: f32,
}

/// How a trial went.
#[derive(Clone, Debug, PartialEq)]
pub struct Report {
    pub title: String,
    /// Relative to the largest expected value.
    pub error: f32,
    pub tolerance: f32,
    /// Why the trial could not be run at all.
    pub failure: Option<String>,
}

impl Report {
    pub fn passes(&self) -> bool {
        self.failure.is_none() && self.error <= self.tolerance
    }
}

/// The twin of a kernel.
///
/// # Panics
/// For a kernel without one.
pub fn run_twin(key: &KernelKey, bindings: Bindings<'_>) {
    let symbols = Symbols(key);
    match key.name {
        "linear" => reference::linear(&symbols, bindings),
        "embed" => reference::embed(&symbols, bindings),
        "rope_kv" => reference::rope_kv(&symbols, bindings),
        "attention" => reference::attention(&symbols, bindings),
        "attention_reduce" => reference::attention_reduce(&symbols, bindings),
        "layer_norm" => reference::layer_norm(&symbols, bindings),
        "pool" => reference::pool(&symbols, bindings),
        "residual_norm" => reference::residual_norm(&symbols, bindings),
        "sample_groups" => reference::sample_groups(&symbols, bindings),
        "sample_choose" => reference::sample_choose(&symbols, bindings),
        name => panic!("{name} has no twin"),
    }
}

impl Trial {
    /// The buffers as the twins leave them.
    pub fn expected(&self) -> Vec<Vec<u32>> {
        let mut words = self.words.clone();
        for dispatch in &self.recording.dispatches {
            let mut bound: Vec<Vec<u32>> = dispatch
                .bindings
                .iter()
                .map(|binding| {
                    let from = (binding.offset_bytes / 4) as usize;
                    words[binding.buffer.0 as usize][from..].to_vec()
                })
                .collect();
            let list: Vec<&mut Vec<u32>> = bound.iter_mut().collect();
            run_twin(&dispatch.kernel, Bindings(list.into_iter()));
            for (binding, after) in dispatch.bindings.iter().zip(bound) {
                let from = (binding.offset_bytes / 4) as usize;
                let buffer = &mut words[binding.buffer.0 as usize][from..];
                // A buffer that is bound twice is only read.
                if after != *buffer {
                    buffer.copy_from_slice(&after);
                }
            }
        }
        words
    }

    /// Compares what a device left in the written buffers, in the order of `written`.
    pub fn judge(&self, found: &[Vec<u32>]) -> Report {
        let expected = self.expected();
        let mut error = 0.0_f32;
        for ((id, written), found) in self.written.iter().zip(found) {
            let expected = &expected[id.0 as usize];
            error = error.max(match written {
                Written::F32 => distance(&floats(expected), &floats(found)),
                Written::Half if half_steps_apart(expected, found) <= 1 => 0.0,
                Written::Half => f32::INFINITY,
                Written::Words if expected == found => 0.0,
                Written::Words => f32::INFINITY,
                Written::Bundle(layout) => bundle_distance(*layout, expected, found),
            });
        }
        Report { title: self.title.clone(), error, tolerance: self.tolerance, failure: None }
    }
}

/// The most steps that two lists of halves differ by anywhere.
fn half_steps_apart(expected: &[u32], found: &[u32]) -> u32 {
    if expected.len() != found.len() {
        return u32::MAX;
    }
    let halves = |words: &[u32]| -> Vec<i32> {
        // In the order of the numbers: negative ones count down from zero.
        let ordered = |bits: u32| match bits & 0x8000 {
            0 => bits as i32,
            _ => -((bits & 0x7fff) as i32),
        };
        words.iter().flat_map(|word| [ordered(word & 0xffff), ordered(word >> 16)]).collect()
    };
    let pairs = halves(expected).into_iter().zip(halves(found));
    pairs.map(|(a, b)| a.abs_diff(b)).max().unwrap_or(0)
}

fn floats(words: &[u32]) -> Vec<f32> {
    words.iter().map(|word| f32::from_bits(*word)).collect()
}

/// The largest difference over the largest expected value; infinite where one side is not a number
/// or the lengths differ.
pub fn distance(expected: &[f32], found: &[f32]) -> f32 {
    if expected.len() != found.len() {
        return f32::INFINITY;
    }
    let largest = expected.iter().fold(0.0_f32, |most, value| most.max(value.abs()));
    let off = expected.iter().zip(found).fold(0.0_f32, |most, (expected, found)| {
        let difference = (expected - found).abs();
        if difference.is_nan() { f32::INFINITY } else { most.max(difference) }
    });
    if off == 0.0 { 0.0 } else { off / largest.max(f32::MIN_POSITIVE) }
}

/// Bytes may differ by one step where a value lies between two, so values are compared with half a
/// step's allowance; the planes of blocks plainly.
fn bundle_distance(layout: ActLayout, expected: &[u32], found: &[u32]) -> f32 {
    if expected.len() != found.len() {
        return f32::INFINITY;
    }
    let at = layout.blocks_at() as usize;
    let column = |words: &[u32], which: usize| -> Vec<f32> {
        words[at..].chunks_exact(4).map(|block| f32::from_bits(block[which])).collect()
    };
    let mut worst = 0.0_f32;
    for which in [0, 2] {
        worst = worst.max(distance(&column(expected, which), &column(found, which)));
    }
    match layout.kind {
        ActKind::F32 => {
            worst = worst.max(distance(&floats(&expected[..at]), &floats(&found[..at])));
            worst.max(distance(&column(expected, 1), &column(found, 1)) / 8.0)
        }
        ActKind::Q8 => {
            let steps = expected[..at].iter().zip(&found[..at]).any(|(expected, found)| {
                (0..4).any(|byte| {
                    let of = |word: u32| i32::from((word >> (8 * byte)) as i8);
                    (of(*expected) - of(*found)).abs() > 1
                })
            });
            if steps { f32::INFINITY } else { worst }
        }
    }
}
