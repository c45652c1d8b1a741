//! How long must a token take on this device at least?
//!
//! Two micro-kernels measure what the device can do at its best: read memory ([`Rates::bytes_per_s`])
//! and multiply and add from registers ([`Rates::macs_per_s`], the faster one of floats and
//! `dot4I8Packed`). A dispatch that reads `bytes` and multiplies `macs` times needs at least the
//! longer of both times (Williams, Waterman & Patterson, "Roofline", CACM 52/4, 2009); the sum over
//! a model's dispatches over the time that they took is how much of the device they use.

mod cost;
mod measure;
mod report;

pub use cost::{Cost, cost};
pub use measure::measure;
pub use report::{Phase, Report, report};

use serde::{Deserialize, Serialize};

/// What a device does at its best.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct Rates {
    pub bytes_per_s: f64,
    pub f32_macs_per_s: f64,
    /// 0 where the device has no `dot4I8Packed`.
    pub dot4_macs_per_s: f64,
    /// What a dispatch with next to no work takes among others: no part of the bound, but of its
    /// explanation.
    pub dispatch_s: f64,
}

impl Rates {
    /// Of the faster kind of product.
    pub fn macs_per_s(self) -> f64 {
        self.f32_macs_per_s.max(self.dot4_macs_per_s)
    }

    /// The least seconds that dispatches of these costs need.
    pub fn least_seconds<'a>(self, costs: impl IntoIterator<Item = &'a Cost>) -> f64 {
        costs
            .into_iter()
            .map(|cost| {
                let reading = cost.bytes as f64 / self.bytes_per_s;
                reading.max(cost.macs as f64 / self.macs_per_s())
            })
            .sum()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_longer_of_reading_and_multiplying_counts() {
        let rates = Rates {
            bytes_per_s: 10.0,
            f32_macs_per_s: 100.0,
            dot4_macs_per_s: 50.0,
            dispatch_s: 0.0,
        };
        let of = |bytes, macs| Cost { label: String::new(), bytes, macs };
        let seconds = rates.least_seconds(&[of(20, 100), of(10, 300)]);
        assert!((seconds - 5.0).abs() < 1e-9, "{seconds}");
    }
}
