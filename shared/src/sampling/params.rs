//! What a request asks of sampling, checked.

use crate::error::{ApiError, ErrorCode};
use crate::openai::SamplingFields;

/// Largest top-k that a GPU sampler holds; beyond it the logits are read back and sampled here.
pub const GPU_TOP_K_MAX: u32 = 64;

/// Most alternatives that `logprobs` may ask for.
pub const TOP_LOGPROBS_MAX: u8 = 20;

/// Sampling values in their ranges.
#[derive(Clone, Debug, PartialEq)]
pub struct SamplingParams {
    /// 0 to 2; 0 is greedy. Default 1, as OpenAI's.
    pub temperature: f32,
    /// 0 is off. Default 40, as llama.cpp's: small quantised models need the tail cut, and it is
    /// what lets the GPU choose.
    pub top_k: u32,
    /// 0 to 1; 1 is off. Default 1.
    pub top_p: f32,
    /// 0 to 1; 0 is off. Default 0.
    pub min_p: f32,
    /// Above 0 up to 10; 1 is off. Default 1.
    pub repetition_penalty: f32,
    /// −2 to 2. Default 0.
    pub presence_penalty: f32,
    /// −2 to 2. Default 0.
    pub frequency_penalty: f32,
    pub seed: u64,
    /// Token id and −100 to 100 added to its logit, by rising id.
    pub logit_bias: Vec<(u32, f32)>,
}

/// A choice that the GPU can make alone.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum GpuSampling {
    Greedy,
    /// As [`super::sample`] does it without penalties and bias; `step` of
    /// [`super::uniform`] is the position that the chosen token will take.
    TopKTopP {
        /// Above 0.
        temperature: f32,
        /// 1 to [`GPU_TOP_K_MAX`].
        top_k: u32,
        top_p: f32,
        min_p: f32,
        seed: u64,
    },
}

impl SamplingParams {
    pub fn greedy() -> Self {
        Self {
            temperature: 0.0,
            top_k: 0,
            top_p: 1.0,
            min_p: 0.0,
            repetition_penalty: 1.0,
            presence_penalty: 0.0,
            frequency_penalty: 0.0,
            seed: 0,
            logit_bias: Vec::new(),
        }
    }

    /// Checks a request's values; `fresh_seed` is taken when it names none.
    ///
    /// # Errors
    /// `invalid_request`, naming the field and its range.
    pub fn new(fields: &SamplingFields, fresh_seed: u64) -> Result<Self, ApiError> {
        let repetition_penalty =
            in_range("repetition_penalty", fields.repetition_penalty, 1.0, 0.0, 10.0)?;
        if repetition_penalty == 0.0 {
            return Err(invalid("repetition_penalty", "must be above 0"));
        }
        Ok(Self {
            temperature: in_range("temperature", fields.temperature, 1.0, 0.0, 2.0)?,
            top_k: fields.top_k.unwrap_or(40),
            top_p: in_range("top_p", fields.top_p, 1.0, 0.0, 1.0)?,
            min_p: in_range("min_p", fields.min_p, 0.0, 0.0, 1.0)?,
            repetition_penalty,
            presence_penalty: in_range(
                "presence_penalty",
                fields.presence_penalty,
                0.0,
                -2.0,
                2.0,
            )?,
            frequency_penalty: in_range(
                "frequency_penalty",
                fields.frequency_penalty,
                0.0,
                -2.0,
                2.0,
            )?,
            seed: fields.seed.unwrap_or(fresh_seed),
            logit_bias: logit_bias(fields)?,
        })
    }

    /// Whether the most likely token is always taken.
    pub fn is_greedy(&self) -> bool {
        // Below it `(logit - largest) / temperature` overflows; nothing but the best is left long
        // before.
        self.temperature < 1e-4 || self.top_k == 1
    }

    /// What the GPU's sampler needs to make the same choice as [`super::sample`]; none when the
    /// request asks for something that only the CPU does (bias, penalties, a wide or no top-k).
    pub fn gpu_plan(&self) -> Option<GpuSampling> {
        let plain_logits = self.logit_bias.is_empty()
            && self.repetition_penalty == 1.0
            && self.presence_penalty == 0.0
            && self.frequency_penalty == 0.0;
        if !plain_logits {
            None
        } else if self.is_greedy() {
            Some(GpuSampling::Greedy)
        } else if (1..=GPU_TOP_K_MAX).contains(&self.top_k) {
            Some(GpuSampling::TopKTopP {
                temperature: self.temperature,
                top_k: self.top_k,
                top_p: self.top_p,
                min_p: self.min_p,
                seed: self.seed,
            })
        } else {
            None
        }
    }
}

fn logit_bias(fields: &SamplingFields) -> Result<Vec<(u32, f32)>, ApiError> {
    let mut bias = Vec::with_capacity(fields.logit_bias.len());
    for (key, &value) in &fields.logit_bias {
        let id = key.parse().map_err(|_| invalid("logit_bias", "has a key that is no token id"))?;
        bias.push((id, in_range("logit_bias", Some(value), 0.0, -100.0, 100.0)?));
    }
    bias.sort_unstable_by_key(|&(id, _)| id);
    Ok(bias)
}

fn in_range(
    field: &str,
    value: Option<f32>,
    default: f32,
    min: f32,
    max: f32,
) -> Result<f32, ApiError> {
    let value = value.unwrap_or(default);
    // NaN is in no range.
    if (min..=max).contains(&value) {
        Ok(value)
    } else {
        Err(invalid(field, &format!("must be between {min} and {max}")))
    }
}

pub(crate) fn invalid(field: &str, problem: &str) -> ApiError {
    ApiError::new(ErrorCode::InvalidRequest).with("reason", format!("`{field}` {problem}"))
}
