//! Does a model choose the reference's token when it is given the reference's text?
//!
//! Two good programs part ways where two tokens are nearly equal, and then every later token
//! differs. So the text is forced and each position is judged alone, those apart at which the
//! reference itself is not clear.

use serde::{Deserialize, Serialize};

use crate::reference::{FloatModel, log_sum_exp, top_and_gap};

/// Beyond this distance between its two best logits the reference is clear.
pub const CLEAR_GAP: f32 = 0.05;

/// What a reference says at each position of a text.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct ForcedReference {
    /// The program and its precision.
    pub engine: String,
    /// The command that makes this file.
    pub command: String,
    pub model_sha256: String,
    pub text: String,
    pub tokens: Vec<u32>,
    /// The most likely token after each of `tokens`.
    pub top: Vec<u32>,
    /// Its logit's distance to the runner-up's.
    pub gap: Vec<f32>,
    /// `ln Σ exp(logit)`.
    pub log_sum_exp: Vec<f32>,
}

/// How often two agree.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Agreement {
    pub n_positions: usize,
    pub n_agree: usize,
    /// Positions at which the reference is clear.
    pub n_clear: usize,
    pub n_clear_agree: usize,
}

impl Agreement {
    pub fn add(&mut self, top: u32, reference_top: u32, reference_gap: f32) {
        let agrees = usize::from(top == reference_top);
        self.n_positions += 1;
        self.n_agree += agrees;
        if reference_gap > CLEAR_GAP {
            self.n_clear += 1;
            self.n_clear_agree += agrees;
        }
    }

    /// Share of all positions.
    pub fn share(&self) -> f64 {
        self.n_agree as f64 / self.n_positions as f64
    }

    /// Share of the positions at which the reference is clear.
    pub fn clear_share(&self) -> f64 {
        self.n_clear_agree as f64 / self.n_clear as f64
    }
}

impl ForcedReference {
    /// Runs the float32 reference over `tokens`.
    ///
    /// # Errors
    /// As [`FloatModel::hidden`].
    pub fn compute(model: &FloatModel, tokens: &[u32]) -> anyhow::Result<Self> {
        let mut reference = Self {
            engine: "float32 forward pass over candle tensors (tests/src/reference)".to_owned(),
            command: String::new(),
            model_sha256: String::new(),
            text: String::new(),
            tokens: tokens.to_vec(),
            top: Vec::new(),
            gap: Vec::new(),
            log_sum_exp: Vec::new(),
        };
        model.for_each_position(tokens, |_, logits| {
            let (top, gap) = top_and_gap(logits);
            reference.top.push(top);
            reference.gap.push(gap);
            reference.log_sum_exp.push(log_sum_exp(logits) as f32);
        })?;
        Ok(reference)
    }

    /// Compares the tokens that another program finds most likely after each token but the last.
    pub fn agreement(&self, tops: impl IntoIterator<Item = u32>) -> Agreement {
        let mut agreement = Agreement::default();
        for (at, top) in tops.into_iter().enumerate() {
            agreement.add(top, self.top[at], self.gap[at]);
        }
        agreement
    }
}

/// A prompt and its greedy continuation by transformers in float32, as stored.
#[derive(Clone, Debug, Deserialize)]
pub struct StoredPrompt {
    pub id: String,
    pub rendered: String,
    pub prompt_ids: Vec<u32>,
    pub first_logits: FirstLogits,
    pub generated_ids: Vec<u32>,
    pub steps: Vec<Step>,
}

#[derive(Clone, Debug, Deserialize)]
pub struct FirstLogits {
    pub top10: Vec<TopLogit>,
    pub logsumexp: f64,
}

#[derive(Clone, Debug, Deserialize)]
pub struct TopLogit {
    pub id: u32,
    pub logit: f32,
}

#[derive(Clone, Debug, Deserialize)]
pub struct Step {
    pub id: u32,
    pub gap_to_2nd: f32,
}

#[derive(Debug, Deserialize)]
struct StoredFile {
    prompts: Vec<StoredPrompt>,
}

/// The prompts of a stored reference.
///
/// # Errors
/// Where the file is not one.
pub fn stored_prompts(json: &str) -> anyhow::Result<Vec<StoredPrompt>> {
    Ok(serde_json::from_str::<StoredFile>(json)?.prompts)
}

impl StoredPrompt {
    /// Prompt and continuation as one sequence.
    pub fn sequence(&self) -> Vec<u32> {
        [self.prompt_ids.as_slice(), &self.generated_ids].concat()
    }

    /// Compares the tokens found most likely after each token of [`StoredPrompt::sequence`] but the
    /// last.
    pub fn add_agreement(&self, tops: &[u32], agreement: &mut Agreement) {
        let first = self.prompt_ids.len() - 1;
        self.add_answer_agreement(tops[first..].iter().copied(), agreement);
    }

    /// Compares the tokens found most likely for each one of the continuation.
    pub fn add_answer_agreement(
        &self,
        tops: impl IntoIterator<Item = u32>,
        agreement: &mut Agreement,
    ) {
        for (step, top) in self.steps.iter().zip(tops) {
            agreement.add(top, step.id, step.gap_to_2nd);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn shares_are_of_all_and_of_clear_positions() {
        let mut agreement = Agreement::default();
        agreement.add(1, 1, 1.0);
        agreement.add(2, 1, 1.0);
        agreement.add(2, 1, 0.01);
        agreement.add(1, 1, 0.01);
        assert_eq!((agreement.share(), agreement.clear_share()), (0.5, 0.5));
        assert_eq!((agreement.n_positions, agreement.n_clear), (4, 2));
    }
}
