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
        let (one, many, gated_one, gated_many) =
            if variants.is_software { software(variants) } else { hardware(variants) };
        Self { act, one, many, gated_one, gated_many }
    }
}

/// On a CPU a load and a barrier cost more than arithmetic: few lanes with many rows each, whose
/// inputs the lanes of a subgroup load once for all, and weights as floats, unpacked without shifts.
/// Both adapters here expand eight-bit dot products. Measured on SmolLM2 in Q4_1 on two cores, in
/// milliseconds of all layers' products, one token and 256:
///
/// | shape | lavapipe, 8 lanes | SwiftShader, 4 lanes |
/// |---|---|---|
/// | one token, float | 26 | 75 |
/// | one token, dot4 | 32 | 124 (plain) |
/// | 256 tokens, 8 a workgroup | | 6250 |
/// | 256 tokens, 16 | 890 | 5390; gated by 8: 5600 |
///
/// SwiftShader compiles one kernel after the other: half the code, with 8 tokens a workgroup, has a model's first
/// answer there after 13 s of its process's CPU instead of 21 (16.3 s of them compiling, 9.3 s now), which a prompt
/// of less than 2000 tokens does not lose again.
fn software(variants: &Variants) -> (Shape, Shape, Shape, Shape) {
    let dot4 = variants.dot4_i8 && variants.int8_activations;
    let plain = Shape { lanes: 32, rows_per_lane: 1, split: 1, tokens: 1, subgroup: false, dot4 };
    let lanes = match (variants.subgroups, variants.subgroup_min_size) {
        (true, 8..) => 8,
        (true, 4..) => 4,
        _ => {
            let many = Shape { rows_per_lane: 2, tokens: 8, ..plain };
            return (plain, many, plain, Shape { rows_per_lane: 1, ..many });
        }
    };
    let wide = Shape { lanes, rows_per_lane: 8, split: 1, tokens: 1, subgroup: true, dot4: false };
    let many = Shape { tokens: 16, ..wide };
    if lanes == 4 {
        let many = Shape { tokens: 8, ..wide };
        return (wide, many, wide, many);
    }
    (wide, many, Shape { rows_per_lane: 4, ..wide }, Shape { rows_per_lane: 4, ..many })
}

/// On a GPU lanes are many and loads of neighbours are one: 32 rows side by side, the columns shared
/// by as many groups of lanes as fill a workgroup.
fn hardware(variants: &Variants) -> (Shape, Shape, Shape, Shape) {
    let dot4 = variants.dot4_i8 && variants.int8_activations;
    let split = (variants.max_workgroup_invocations.min(256) / 32).max(1);
    let one = Shape { lanes: 32, rows_per_lane: 1, split, tokens: 1, subgroup: false, dot4 };
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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::caps::{Capabilities, GpuOptions, Precision, choose};
    use crate::linear::ROW_GROUP;

    fn choices() -> Vec<(Capabilities, LinearChoice)> {
        let mut all = Vec::new();
        for is_software in [false, true] {
            for lanes in [0, 4, 8, 16, 32, 64] {
                for dot4_i8 in [false, true] {
                    let caps = Capabilities {
                        is_software,
                        subgroups: lanes > 0,
                        subgroup_min_size: lanes,
                        subgroup_max_size: lanes,
                        dot4_i8,
                        max_workgroup_invocations: 256,
                        ..Capabilities::default()
                    };
                    let variants = choose(&caps, &GpuOptions::default(), Precision::Auto);
                    all.push((caps, LinearChoice::new(&variants)));
                }
            }
        }
        all
    }

    #[test]
    fn a_workgroups_rows_divide_every_segment_and_hold_whole_blocks() {
        for (caps, choice) in choices() {
            for shape in [choice.one, choice.many, choice.gated_one, choice.gated_many] {
                let rows = shape.rows();
                assert!(ROW_GROUP.is_multiple_of(rows) && rows.is_multiple_of(32), "{shape:?}");
                assert!(shape.lanes * shape.split <= caps.max_workgroup_invocations);
            }
        }
    }

    #[test]
    fn lanes_that_broadcast_are_lanes_of_one_subgroup() {
        for (caps, choice) in choices() {
            for shape in [choice.one, choice.many, choice.gated_one, choice.gated_many] {
                let fits = shape.lanes <= caps.subgroup_min_size && shape.split == 1;
                assert!(!shape.subgroup || fits, "{caps:?} {shape:?}");
                assert!(!shape.dot4 || caps.dot4_i8, "{caps:?} {shape:?}");
            }
        }
    }

    #[test]
    fn integers_are_multiplied_only_where_bundles_hold_them() {
        for (_, choice) in choices() {
            assert!(choice.act == ActKind::Q8 || !choice.one.dot4);
        }
    }
}
