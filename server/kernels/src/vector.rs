//! What is done to rows between the products: norms, rotations, gates, rounding.
//!
//! Written in lanes of 16 that the compiler turns into vectors; each function is compiled for every
//! family of instructions from the same lines, so that the plain one is the others' twin.

use crate::blocks::RUN;
use crate::isa::Isa;

const LANES: usize = 16;

/// Defines a function that is compiled for each [`Isa`].
macro_rules! for_each_isa {
    ($($(#[$doc:meta])* $vis:vis fn $name:ident($($arg:ident: $ty:ty),* $(,)?) $(-> $ret:ty)? $body:block)*) => {
        $(
            $(#[$doc])*
            $vis fn $name(isa: Isa, $($arg: $ty),*) $(-> $ret)? {
                #[inline(always)]
                fn body($($arg: $ty),*) $(-> $ret)? $body
                #[cfg(target_arch = "x86_64")]
                #[target_feature(enable = "avx2,fma,f16c")]
                fn avx2($($arg: $ty),*) $(-> $ret)? { body($($arg),*) }
                #[cfg(target_arch = "x86_64")]
                #[target_feature(enable = "avx512f,avx512bw,avx512vl,avx512dq,avx2,fma,f16c")]
                fn avx512($($arg: $ty),*) $(-> $ret)? { body($($arg),*) }
                match isa {
                    #[cfg(target_arch = "x86_64")]
                    // SAFETY: `Isa` is what was detected.
                    Isa::Avx2 => unsafe { avx2($($arg),*) },
                    #[cfg(target_arch = "x86_64")]
                    // SAFETY: as above.
                    Isa::Avx512 => unsafe { avx512($($arg),*) },
                    _ => body($($arg),*),
                }
            }
        )*
    };
}
pub(crate) use for_each_isa;

/// The function between gate and up.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Activation {
    Silu,
    /// The tanh approximation.
    GeluTanh,
    /// By the error function, as BERT has it.
    GeluErf,
}

#[inline(always)]
fn sum_of_squares(x: &[f32]) -> f32 {
    let mut lanes = [0f32; LANES];
    let chunks = x.chunks_exact(LANES);
    let rest = chunks.remainder();
    for chunk in chunks {
        for (lane, x) in lanes.iter_mut().zip(chunk) {
            *lane += x * x;
        }
    }
    fold(lanes, |a, b| a + b) + rest.iter().map(|x| x * x).sum::<f32>()
}

/// Added to a number of at most 2²², it rounds that to a whole one, ties to even.
const ROUND: f32 = 12_582_912.0;

/// The whole number that `ROUND` was added to.
#[inline(always)]
fn whole(shifted: f32) -> u32 {
    shifted.to_bits().wrapping_sub(ROUND.to_bits())
}

/// Folds lanes by halves: a chain of 16 would wait for each step.
#[inline(always)]
fn fold(mut lanes: [f32; LANES], f: impl Fn(f32, f32) -> f32) -> f32 {
    let mut half = LANES / 2;
    while half > 0 {
        for at in 0..half {
            lanes[at] = f(lanes[at], lanes[at + half]);
        }
        half /= 2;
    }
    lanes[0]
}

#[inline(always)]
fn larger(a: f32, b: f32) -> f32 {
    if b > a { b } else { a }
}

/// `eˣ`, to some 2 in 10⁷ (Cephes' `expf`), without branches.
#[inline(always)]
pub(crate) fn exp(x: f32) -> f32 {
    let x = x.clamp(-87.0, 88.0);
    // Adding and taking away rounds to a whole number.
    let shifted = x * std::f32::consts::LOG2_E + ROUND;
    let n = shifted - ROUND;
    let r = x - n * 0.693_359_4;
    let r = r - n * -2.121_944_4e-4;
    let mut p = 1.987_569_1e-4;
    p = p * r + 1.398_199_9e-3;
    p = p * r + 8.333_452e-3;
    p = p * r + 4.166_579_6e-2;
    p = p * r + 1.666_666_5e-1;
    p = p * r + 5e-1;
    let value = p * r * r + r + 1.0;
    value * f32::from_bits(whole(shifted).wrapping_add(127) << 23)
}

#[inline(always)]
fn tanh(x: f32) -> f32 {
    let e = exp(2.0 * x);
    1.0 - 2.0 / (e + 1.0)
}

/// The error function, to 2 in 10⁷ (Abramowitz and Stegun, 7.1.26 has 1.5 in 10⁷).
#[inline(always)]
fn erf(x: f32) -> f32 {
    let a = x.abs();
    let t = 1.0 / (1.0 + 0.327_591_1 * a);
    let mut p = 1.061_405_4;
    p = p * t - 1.453_152_1;
    p = p * t + 1.421_413_8;
    p = p * t - 0.284_496_72;
    p = p * t + 0.254_829_6;
    (1.0 - p * t * exp(-a * a)).copysign(x)
}

#[inline(always)]
fn activated(activation: Activation, x: f32) -> f32 {
    match activation {
        Activation::Silu => x / (1.0 + exp(-x)),
        Activation::GeluTanh => 0.5 * x * (1.0 + tanh(0.797_884_6 * (x + 0.044_715 * x * x * x))),
        Activation::GeluErf => 0.5 * x * (1.0 + erf(x * std::f32::consts::FRAC_1_SQRT_2)),
    }
}

for_each_isa! {
    /// `out = x / √(mean x² + eps) · weight`
    pub fn rms_norm(x: &[f32], weight: &[f32], eps: f32, out: &mut [f32]) {
        let scale = 1.0 / (sum_of_squares(x) / x.len() as f32 + eps).sqrt();
        for ((out, x), weight) in out.iter_mut().zip(x).zip(weight) {
            *out = x * scale * weight;
        }
    }

    /// `x = (x − mean) / √(variance + eps) · weight + bias`
    pub fn layer_norm(x: &mut [f32], weight: &[f32], bias: &[f32], eps: f32) {
        let mean = x.iter().sum::<f32>() / x.len() as f32;
        for x in x.iter_mut() {
            *x -= mean;
        }
        let scale = 1.0 / (sum_of_squares(x) / x.len() as f32 + eps).sqrt();
        for ((x, weight), bias) in x.iter_mut().zip(weight).zip(bias) {
            *x = *x * scale * weight + bias;
        }
    }

    /// `out = activation(x + bias)`
    pub fn activate_biased(activation: Activation, x: &[f32], bias: &[f32], out: &mut [f32]) {
        for ((out, x), bias) in out.iter_mut().zip(x).zip(bias) {
            *out = x + bias;
        }
        match activation {
            Activation::Silu => {
                for out in out.iter_mut() {
                    *out = activated(Activation::Silu, *out);
                }
            }
            Activation::GeluTanh => {
                for out in out.iter_mut() {
                    *out = activated(Activation::GeluTanh, *out);
                }
            }
            Activation::GeluErf => {
                for out in out.iter_mut() {
                    *out = activated(Activation::GeluErf, *out);
                }
            }
        }
    }

    /// `x += y`
    pub fn add(x: &mut [f32], y: &[f32]) {
        for (x, y) in x.iter_mut().zip(y) {
            *x += y;
        }
    }

    /// `x *= factor`
    pub fn scale(x: &mut [f32], factor: f32) {
        for x in x.iter_mut() {
            *x *= factor;
        }
    }

    /// `out = activation(gate) · up`
    pub fn activate_mul(activation: Activation, gate: &[f32], up: &[f32], out: &mut [f32]) {
        match activation {
            Activation::Silu => {
                for ((out, gate), up) in out.iter_mut().zip(gate).zip(up) {
                    *out = activated(Activation::Silu, *gate) * up;
                }
            }
            Activation::GeluTanh => {
                for ((out, gate), up) in out.iter_mut().zip(gate).zip(up) {
                    *out = activated(Activation::GeluTanh, *gate) * up;
                }
            }
            Activation::GeluErf => {
                for ((out, gate), up) in out.iter_mut().zip(gate).zip(up) {
                    *out = activated(Activation::GeluErf, *gate) * up;
                }
            }
        }
    }

    /// Turns a head's pairs by the angles of a position: `table` is `(cos, sin)` of each pair; pairs
    /// are neighbours or, with `halves`, lie half the rotated width apart.
    pub fn rotate(head: &mut [f32], table: &[f32], halves: bool) {
        let n_pairs = table.len() / 2;
        if halves {
            let (first, second) = head.split_at_mut(n_pairs);
            for ((a, b), turn) in first.iter_mut().zip(second).zip(table.chunks_exact(2)) {
                (*a, *b) = (*a * turn[0] - *b * turn[1], *a * turn[1] + *b * turn[0]);
            }
        } else {
            for (pair, turn) in head.chunks_exact_mut(2).zip(table.chunks_exact(2)) {
                let (a, b) = (pair[0], pair[1]);
                (pair[0], pair[1]) = (a * turn[0] - b * turn[1], a * turn[1] + b * turn[0]);
            }
        }
    }

    /// Rounds a row to 8 bits: see [`Activations`](crate::Activations).
    pub(crate) fn quantise(
        x: &[f32],
        q: &mut [i8],
        scale: &mut [f32],
        scaled_sum: &mut [f32],
        negative_sum: &mut [i32],
    ) {
        for (run, x) in x.chunks_exact(RUN).enumerate() {
            let mut lanes = [0f32; LANES];
            for half in x.chunks_exact(LANES) {
                for (lane, x) in lanes.iter_mut().zip(half) {
                    *lane = larger(*lane, x.abs());
                }
            }
            let largest = fold(lanes, larger);
            let inverse = if largest > 0.0 { 127.0 / largest } else { 0.0 };
            let mut sum = 0;
            for (half, x) in x.chunks_exact(LANES).enumerate() {
                let mut rounded = [0u32; LANES];
                for (rounded, x) in rounded.iter_mut().zip(x) {
                    *rounded = whole(x * inverse + ROUND);
                }
                let q = &mut q[run * RUN + half * LANES..][..LANES];
                for (q, rounded) in q.iter_mut().zip(rounded) {
                    *q = rounded as i8;
                }
                let half_sum: i32 = rounded.iter().map(|&rounded| rounded as i32).sum();
                negative_sum[run * 2 + half] = -half_sum;
                sum += half_sum;
            }
            scale[run] = largest / 127.0;
            scaled_sum[run] = scale[run] * sum as f32;
        }
    }

    /// The place of the largest value, the first among equals; none when all are NaN or −∞.
    pub fn argmax(x: &[f32]) -> Option<usize> {
        let mut lanes = [f32::NEG_INFINITY; LANES];
        let chunks = x.chunks_exact(LANES);
        let mut largest = chunks.remainder().iter().fold(f32::NEG_INFINITY, |a, &b| larger(a, b));
        for chunk in chunks {
            for (lane, &x) in lanes.iter_mut().zip(chunk) {
                *lane = larger(*lane, x);
            }
        }
        largest = larger(largest, fold(lanes, larger));
        if largest == f32::NEG_INFINITY {
            return None;
        }
        x.iter().position(|&x| x == largest)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn values(n: usize) -> Vec<f32> {
        (0..n).map(|i| ((i * 7919) % 1000) as f32 / 50.0 - 10.0).collect()
    }

    fn near(actual: &[f32], expected: impl Iterator<Item = f64>, tolerance: f64) {
        for (at, (&actual, expected)) in actual.iter().zip(expected).enumerate() {
            let difference = (f64::from(actual) - expected).abs();
            assert!(difference <= tolerance, "{at}: {actual}, not {expected}");
        }
    }

    #[test]
    fn gates_are_the_functions_of_their_names() {
        let (x, ones) = (values(1003), vec![1.0; 1003]);
        let f64s = || x.iter().map(|&x| f64::from(x));
        for isa in Isa::all_here() {
            let mut out = vec![0.0; x.len()];
            activate_mul(isa, Activation::Silu, &x, &ones, &mut out);
            near(&out, f64s().map(|x| x / (1.0 + (-x).exp())), 2e-6);
            activate_mul(isa, Activation::GeluTanh, &x, &ones, &mut out);
            let tanh = |x: f64| (0.797_884_560_8 * (x + 0.044_715 * x * x * x)).tanh();
            near(&out, f64s().map(|x| 0.5 * x * (1.0 + tanh(x))), 4e-6);
        }
        // erf(1) and erf(−0.5).
        let erf = [erf(1.0), erf(-0.5)];
        near(&erf, [0.842_700_792_9, -0.520_499_877_8].into_iter(), 1e-6);
    }

    #[test]
    fn rows_are_normed_and_turned() {
        let (x, weight) = (values(72), vec![2.0; 72]);
        let mean = x.iter().map(|&x| f64::from(x * x)).sum::<f64>() / 72.0;
        for isa in Isa::all_here() {
            let mut out = vec![0.0; 72];
            rms_norm(isa, &x, &weight, 1e-5, &mut out);
            near(&out, x.iter().map(|&x| 2.0 * f64::from(x) / (mean + 1e-5).sqrt()), 1e-5);
            let (mut row, bias) = (x.clone(), vec![1.0; 72]);
            layer_norm(isa, &mut row, &weight, &bias, 1e-5);
            let middle = x.iter().map(|&x| f64::from(x)).sum::<f64>() / 72.0;
            let variance = mean - middle * middle;
            let normed = |&x: &f32| (f64::from(x) - middle) / (variance + 1e-5).sqrt();
            near(&row, x.iter().map(|x| 2.0 * normed(x) + 1.0), 1e-5);
            activate_biased(isa, Activation::GeluErf, &[0.0, -1.5], &[1.0, 1.0], &mut row[..2]);
            near(&row[..2], [0.841_344_746, -0.154_268_769].into_iter(), 1e-6);
            let table = [0.6, 0.8, 0.0, 1.0];
            let mut head = [1.0, 2.0, 3.0, 4.0, 9.0];
            rotate(isa, &mut head, &table, false);
            near(&head, [-1.0, 2.0, -4.0, 3.0, 9.0].into_iter(), 1e-6);
            let mut head = [1.0, 2.0, 3.0, 4.0, 9.0];
            rotate(isa, &mut head, &table, true);
            near(&head, [-1.8, -4.0, 2.6, 2.0, 9.0].into_iter(), 1e-6);
        }
    }

    #[test]
    fn rounding_is_to_the_nearest_of_255_and_sums_are_its_own() {
        let x = values(64);
        for isa in Isa::all_here() {
            let (mut q, mut scale, mut sum, mut negative) =
                (vec![0i8; 64], [0.0; 2], [0.0; 2], [0; 4]);
            quantise(isa, &x, &mut q, &mut scale, &mut sum, &mut negative);
            for (at, (&q, &x)) in q.iter().zip(&x).enumerate() {
                assert!((f32::from(q) * scale[at / 32] - x).abs() <= 0.5001 * scale[at / 32]);
            }
            for (half, &negative) in negative.iter().enumerate() {
                let sum: i32 = q[half * 16..][..16].iter().map(|&q| i32::from(q)).sum();
                assert_eq!(negative, -sum);
            }
            let first: i32 = q[..32].iter().map(|&q| i32::from(q)).sum();
            assert!((sum[0] - scale[0] * first as f32).abs() < 1e-4);
            // Nothing but zeros.
            quantise(
                isa,
                &[0.0; 32],
                &mut q[..32],
                &mut scale[..1],
                &mut sum[..1],
                &mut negative[..2],
            );
            assert!(q[..32].iter().all(|&q| q == 0) && sum[0] == 0.0);
        }
    }

    #[test]
    fn the_first_of_the_largest_is_found() {
        for isa in Isa::all_here() {
            let mut x = vec![f32::NAN; 100];
            assert_eq!(argmax(isa, &x), None);
            (x[37], x[70], x[99]) = (2.0, 2.0, f32::NEG_INFINITY);
            assert_eq!(argmax(isa, &x), Some(37));
            x[99] = 3.0;
            assert_eq!(argmax(isa, &x), Some(99));
        }
    }
}
