//! Which dispatches look tokens up in the embedding?

use super::plan::{next_symbols, segment_symbols};
use super::{LinearWeight, NextBundle};
use crate::EngineError;
use crate::record::{Binding, BufferId, Dispatch, KernelKey, Recording};

/// A look-up of up to `max_tokens` tokens.
#[derive(Clone, Debug)]
pub struct Embed<'a> {
    pub label: String,
    /// One matrix `n_vocab × cols`; the head's, where they are tied.
    pub weight: &'a LinearWeight,
    /// Multiplies every value: 1, for gemma `√cols`.
    pub scale: f32,
    pub max_tokens: u32,
    /// Word 0: how many tokens. Not read where `max_tokens` is 1.
    pub params: Binding,
    /// `u32[max_tokens]`
    pub token_ids: Binding,
    /// `f32[max_tokens][cols]`
    pub x: BufferId,
    pub next: NextBundle,
}

/// Records the dispatches: one for each part of the matrix.
///
/// # Errors
/// [`EngineError::Internal`] where the bundle does not fit.
pub fn embed(recording: &mut Recording, lookup: &Embed<'_>) -> Result<(), EngineError> {
    let weight = lookup.weight;
    if weight.matrices.len() != 1 || lookup.next.layout.cols != weight.cols {
        return Err(EngineError::internal(format!("{}: shapes do not fit", lookup.label)));
    }
    for (index, part) in weight.parts.iter().enumerate() {
        let mut symbols = vec![
            ("BLOCKS", weight.cols / 32),
            ("VOCAB", weight.rows),
            ("MAX_TOKENS", lookup.max_tokens),
            ("IS_FIRST", u32::from(index == 0)),
            ("FIRST_ROW", part.segments[0].out_at),
            ("SCALE_BITS", lookup.scale.to_bits()),
        ];
        next_symbols(Some(&lookup.next), &mut symbols);
        segment_symbols(part, weight.cols, &mut symbols);
        let mut bindings = vec![
            part.buffer.into(),
            part.buffer.into(),
            lookup.params,
            lookup.token_ids,
            lookup.x.into(),
            lookup.next.bundle.into(),
        ];
        bindings.extend(lookup.next.norm_weight.map(Binding::from));
        recording.dispatch(Dispatch {
            kernel: KernelKey { name: "embed", defines: symbols },
            bindings,
            workgroups: [lookup.max_tokens, 1, 1],
            label: if weight.parts.len() == 1 {
                lookup.label.clone().into()
            } else {
                format!("{}.{index}", lookup.label).into()
            },
        });
    }
    Ok(())
}
