//! How near is near enough? Written once; nothing else in the tests says a number for it.

use std::fmt;

/// The largest difference that passes, as a share of the reference's largest magnitude.
///
/// A logit near 0 says nothing by itself, so a difference is measured against the row's scale, not
/// against the single value.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Tolerance(f32);

impl Tolerance {
    /// Weights and activations multiplied in float32.
    pub const F32: Self = Self(2e-3);
    /// Half-precision or 8-bit activations.
    pub const REDUCED: Self = Self(2e-2);
    /// Two float32 programs that differ in the order of their sums.
    pub const SAME: Self = Self(2e-5);
}

/// Why two rows are not near.
#[derive(Clone, Debug, PartialEq)]
pub enum Difference {
    Length { actual: usize, expected: usize },
    NotFinite { index: usize, value: f32 },
    Far { index: usize, actual: f32, expected: f32, relative: f32 },
}

impl fmt::Display for Difference {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Length { actual, expected } => write!(f, "{actual} values, not {expected}"),
            Self::NotFinite { index, value } => write!(f, "value {index} is {value}"),
            Self::Far { index, actual, expected, relative } => {
                write!(f, "value {index} is {actual}, not {expected}: {relative:.2e} of the scale")
            }
        }
    }
}

/// The largest difference between two rows, as a share of `expected`'s largest magnitude.
///
/// # Errors
/// The first value that is out of tolerance or not finite.
pub fn compare(actual: &[f32], expected: &[f32], tolerance: Tolerance) -> Result<f32, Difference> {
    if actual.len() != expected.len() {
        return Err(Difference::Length { actual: actual.len(), expected: expected.len() });
    }
    let scale = expected.iter().fold(0f32, |scale, value| scale.max(value.abs()));
    let mut largest = 0f32;
    for (index, (&actual, &expected)) in actual.iter().zip(expected).enumerate() {
        if !actual.is_finite() || !expected.is_finite() {
            let value = if actual.is_finite() { expected } else { actual };
            return Err(Difference::NotFinite { index, value });
        }
        let difference = (actual - expected).abs();
        let relative = if difference == 0.0 { 0.0 } else { difference / scale };
        if relative > tolerance.0 {
            return Err(Difference::Far { index, actual, expected, relative });
        }
        largest = largest.max(relative);
    }
    Ok(largest)
}

#[cfg(test)]
mod tests {
    use super::*;

    const ROW: [f32; 4] = [10.0, -4.0, 0.001, 3.0];

    fn with(index: usize, value: f32) -> [f32; 4] {
        let mut row = ROW;
        row[index] = value;
        row
    }

    #[test]
    fn equal_rows_pass() {
        assert_eq!(compare(&ROW, &ROW, Tolerance::SAME), Ok(0.0));
    }

    /// A comparator that cannot fail proves nothing.
    #[test]
    fn a_perturbed_row_fails() {
        for tolerance in [Tolerance::SAME, Tolerance::F32, Tolerance::REDUCED] {
            for (index, value) in ROW.into_iter().enumerate() {
                let off = 10.0 * tolerance.0;
                for by in [1.01 * off, -1.01 * off] {
                    let row = with(index, value + by);
                    assert!(matches!(compare(&row, &ROW, tolerance), Err(Difference::Far { .. })));
                }
                assert!(compare(&with(index, value + 0.9 * off), &ROW, tolerance).is_ok());
            }
        }
    }

    #[test]
    fn what_is_no_number_or_too_short_fails() {
        for value in [f32::NAN, f32::INFINITY] {
            assert!(compare(&with(1, value), &ROW, Tolerance::REDUCED).is_err());
            assert!(compare(&ROW, &with(1, value), Tolerance::REDUCED).is_err());
        }
        assert!(compare(&ROW[1..], &ROW, Tolerance::REDUCED).is_err());
        assert!(compare(&[0.1], &[0.0], Tolerance::REDUCED).is_err());
    }
}
