//! Which dispatches choose the next token?

use crate::record::{Dispatch, KernelKey};

use super::forward::Planned;
use super::model_plan::ModelPlan;

/// Words of the sampling buffer: top-k, temperature, top-p, min-p, seed (2), 2 unused.
pub(crate) const SAMPLING_WORDS: usize = 8;

/// Groups that logits are dealt out to: many more than the largest top-k, and few enough that ranking
/// them, each against all, stays short.
pub(super) const GROUPS: u32 = 512;
const LANES: u32 = 64;
/// Room for candidates: 64 and what ties with the last of them.
const CAPACITY: u32 = 512;

/// Two dispatches: from logits to a token that is the next step's input.
pub(crate) fn sample(plan: &ModelPlan) -> Vec<Planned> {
    let n_vocab = plan.config.n_vocab;
    let groups = Dispatch {
        kernel: KernelKey {
            name: "sample_groups",
            defines: vec![("N_VOCAB", n_vocab), ("GROUPS", GROUPS), ("LANES", LANES)],
        },
        bindings: vec![plan.logits.into(), plan.group_keys.into()],
        workgroups: [GROUPS / LANES, 1, 1],
        label: "sample.groups".into(),
    };
    let choose = Dispatch {
        kernel: KernelKey {
            name: "sample_choose",
            defines: vec![
                ("N_VOCAB", n_vocab),
                ("GROUPS", GROUPS),
                ("LANES", LANES),
                ("CAPACITY", CAPACITY),
                ("SOFTCAP_BITS", plan.config.final_softcap.map_or(0, f32::to_bits)),
            ],
        },
        bindings: vec![
            plan.logits.into(),
            plan.group_keys.into(),
            plan.sampling.into(),
            plan.params.into(),
            plan.token_ids.into(),
            plan.sampled.into(),
        ],
        workgroups: [1, 1, 1],
        label: "sample.choose".into(),
    };
    vec![Planned::fixed(groups), Planned::fixed(choose)]
}
