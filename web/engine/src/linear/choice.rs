//! Which shape of the linear kernel suits a device? A pure function of its variants.

use super::{ActKind, WeightFormat};
use crate::caps::Variants;

/// How a workgroup is cut; see `kernels/linear.wgsl`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Shape {
    /// Lanes along rows. With `subgroup`, all of the workgroup.
    pub lanes: u32,
    pub rows_per_lane: u32,
    /// Groups of lanes that share the columns of a row.
    pub split: u32,
    /// Tokens of a workgroup.
    pub tokens: u32,
    /// Inputs are loaded by all lanes together and passed on by subgroup broadcasts.
    pub subgroup: bool,
    /// Integer dot products by `dot4I8Packed`; else the bytes are multiplied as floats.
    pub dot4: bool,
}

/// The shapes and numbers of a device's linear layers.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct LinearChoice {
    /// What bundles hold.
    pub act: ActKind,
    /// For one token.
    pub one: Shape,
    /// For many.
    pub many: Shape,
    /// Both with two matrices at once (gate and up), which double what a lane holds.
    pub gated_one: Shape,
    pub gated_many: Shape,
}

impl LinearChoice {
    /// Chooses by what the device is and has.
    pub fn new(variants: &Variants) -> Self {
        let act = if variants.int8_activations { ActKind::Q8 } else { ActKind::F32 };
        let (one, many, gated_one, gated_many) = if variants.is_software {
            software(variants)
        } else {
            hardware(variants)
        };
        Self { act, one, many, gated_one, gated_many }
    }
}

/// On a CPU a load costs more than the arithmetic on it, a barrier more than both, and eight-bit dot
/// products are expanded into more instructions than the float ones: few lanes with many rows each,
/// inputs loaded once by the lanes of a subgroup.
fn software(variants: &Variants) -> (Shape, Shape, Shape, Shape) {
    let lanes = match (variants.subgroups, variants.subgroup_min_size) {
        (true, 8..) => 8,
        (true, 4..) => 4,
        _ => {
            let one = Shape {
                lanes: 32,
                rows_per_lane: 2,
                split: 1,
                tokens: 1,
                subgroup: false,
                dot4: false,
            };
            let gated = Shape { rows_per_lane: 1, ..one };
            return (
                one,
                Shape { tokens: 8, ..one },
                gated,
                Shape { tokens: 8, ..gated },
            );
        }
    };
    let one = Shape {
        lanes,
        rows_per_lane: 64 / lanes,
        split: 1,
        tokens: 1,
        subgroup: true,
        dot4: false,
    };
    let gated = Shape { rows_per_lane: 32 / lanes, ..one };
    (one, Shape { tokens: 8, ..one }, gated, Shape { tokens: 8, ..gated })
}

/// On a GPU lanes are many and loads of neighbours are one: 32 rows side by side, the columns shared
/// by as many groups of lanes as fill a workgroup.
fn hardware(variants: &Variants) -> (Shape, Shape, Shape, Shape) {
    let dot4 = variants.dot4_i8 && variants.int8_activations;
    let split = (variants.max_workgroup_invocations.min(256) / 32).max(1);
    let one =
        Shape { lanes: 32, rows_per_lane: 1, split, tokens: 1, subgroup: false, dot4 };
    let many = Shape { lanes: 32, rows_per_lane: 2, split: 2, tokens: 8, subgroup: false, dot4 };
    (one, many, one, Shape { rows_per_lane: 1, ..many })
}

impl Shape {
    /// Rows of a workgroup.
    pub fn rows(self) -> u32 {
        self.lanes * self.rows_per_lane
    }

    /// Whether `format` is multiplied in integers.
    pub fn is_integer(self, format: WeightFormat) -> bool {
        self.dot4 && format.is_quantised()
    }
}
