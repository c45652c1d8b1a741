//! What does a token of this model cost at least? See [`crate::roofline`].

use super::Engine;
use crate::EngineError;
use crate::plan::{Mode, forward, head};
use crate::roofline::{Cost, cost};

impl Engine {
    /// The costs of decoding one token after `position` others.
    ///
    /// # Errors
    /// [`EngineError::Internal`]: the plan does not stand.
    pub fn decode_costs(&self, position: u32) -> Result<Vec<Cost>, EngineError> {
        let attention = &self.plan.attention;
        let tiers = attention.tiers();
        let splits = tiers[attention.tier(position + 1).min(tiers.len() - 1)];
        self.costs(Mode::One { splits }, 1, position)
    }

    /// The costs of a prefill of `n_tokens` into an empty cache, in one chunk, with the last token's
    /// logits.
    ///
    /// # Errors
    /// [`EngineError::Internal`]: the plan does not stand.
    pub fn prefill_costs(&self, n_tokens: u32) -> Result<Vec<Cost>, EngineError> {
        self.costs(Mode::Many, n_tokens, 0)
    }

    fn costs(&self, mode: Mode, n_tokens: u32, position: u32) -> Result<Vec<Cost>, EngineError> {
        let mut planned = forward(&self.plan, mode)?;
        planned.extend(head(&self.plan)?);
        Ok(planned.iter().map(|planned| cost(&planned.dispatch, n_tokens, position)).collect())
    }
}
