//! How does llguidance hold an answer to its form?

use std::fmt;
use std::sync::Arc;

use llguidance::api::{ParserLimits, TopLevelGrammar};
use llguidance::earley::SlicedBiasComputer;
use llguidance::toktrie::{
    ApproximateTokEnv, InferenceCapabilities, SimpleVob, TokEnv, TokRxInfo, TokTrie,
};
use llguidance::{Matcher, ParserFactory};

use super::landing::{Closers, Landing};
use super::{Constrain, Grammar, TokenTable, apply_mask, laid_out};
use crate::error::{ApiError, ErrorCode};
use crate::sampling::invalid;

/// Characters of llguidance's explanation that are passed on.
const FAULT_CHARS_MAX: usize = 300;

/// What compiling and one mask may cost: a request's worst case is a second, not an hour, and tens of
/// megabytes.
fn limits() -> ParserLimits {
    ParserLimits {
        max_items_in_row: 2_000,
        initial_lexer_fuel: 1_000_000,
        step_lexer_fuel: 200_000,
        step_max_items: 50_000,
        max_lexer_states: 20_000,
        max_grammar_size: 200_000,
        precompute_large_lexemes: true,
        // Else errors carry the grammar and the text.
        verbose_errors: false,
    }
}

/// Compiles forms for one model's vocabulary. Made once for a model: it holds a trie of all tokens.
pub struct GrammarEnv {
    factory: ParserFactory,
    closers: Closers,
}

/// A form, as far as the answer has come. Tokens are tried by their bytes, whatever way the tokenizer
/// itself would cut the text: the model keeps its say in that.
pub struct Constraint {
    matcher: Matcher,
    landing: Landing,
}

impl GrammarEnv {
    /// # Errors
    /// `model_invalid` for a vocabulary without an end.
    pub fn new(table: &TokenTable) -> Result<Self, ApiError> {
        let unusable = |reason: &str| ApiError::new(ErrorCode::ModelInvalid).with("reason", reason);
        let words = table.words();
        let n_vocab = words.len() as u32;
        let Some(&end_id) = table.end_ids.iter().find(|&&id| id < n_vocab) else {
            return Err(unusable("no token ends its answers"));
        };
        let info = TokRxInfo::new(n_vocab, end_id);
        let end_ids: Vec<u32> = table.end_ids.iter().copied().filter(|&id| id < n_vocab).collect();
        let trie = TokTrie::from(&info, &words).with_eos_tokens(&end_ids);
        let env: TokEnv = Arc::new(ApproximateTokEnv::new(trie));
        let mut factory = ParserFactory::new(
            &env,
            InferenceCapabilities::default(),
            &SlicedBiasComputer::json_slices(),
        )
        .map_err(|error| unusable("its vocabulary has no trie").detail(error))?;
        *factory.limits_mut() = limits();
        factory.quiet();
        Ok(Self { factory, closers: Closers::new(&words) })
    }

    /// # Errors
    /// `invalid_request`, naming what cannot be understood, is not supported, or asks too much work.
    pub fn compile(&self, grammar: &Grammar) -> Result<Constraint, ApiError> {
        grammar.check()?;
        let top_level = match grammar {
            Grammar::JsonSchema(schema) => TopLevelGrammar::from_json_schema(laid_out(schema)),
            Grammar::Regex(regex) => TopLevelGrammar::from_regex(regex),
            Grammar::Lark(lark) => TopLevelGrammar::from_lark(lark.clone()),
        };
        let parser = self.factory.create_parser(top_level);
        let mut matcher = Matcher::new(parser);
        match matcher.get_error() {
            Some(error) => Err(refused(&error)),
            None => {
                // A form that only the empty text has is whole at once.
                let _ = matcher.consume_tokens(&[]);
                Ok(Constraint { matcher, landing: Landing::new(self.closers.clone()) })
            }
        }
    }
}

impl Constraint {
    /// Which tokens may come next, a bit for each.
    ///
    /// # Errors
    /// As [`Constrain::mask`].
    pub fn allowed(&mut self) -> Result<SimpleVob, ApiError> {
        self.matcher.compute_mask_or_eos().map_err(|error| refused(&error.to_string()))
    }

    /// Whether the text may end here.
    pub fn may_end(&mut self) -> bool {
        self.matcher.is_accepting().unwrap_or(false)
    }
}

impl Clone for Constraint {
    fn clone(&self) -> Self {
        Self { matcher: self.matcher.deep_clone(), landing: self.landing.clone() }
    }
}

impl Constrain for Constraint {
    fn mask(&mut self, logits: &mut [f32]) -> Result<(), ApiError> {
        let allowed = self.allowed()?;
        apply_mask(allowed.as_slice(), logits);
        Ok(())
    }

    fn land(&mut self, id: u32, n_left: u32) -> Result<u32, ApiError> {
        let landed = self.landing.land(&mut self.matcher, id, n_left);
        landed.map_err(|error| refused(&error))
    }

    fn accept(&mut self, id: u32) -> Result<(), ApiError> {
        self.matcher.consume_token(id).map_err(|error| refused(&error.to_string()))
    }

    fn is_finished(&self) -> bool {
        self.matcher.is_stopped()
    }
}

fn refused(error: &str) -> ApiError {
    // Behind the first line stands where in llguidance's own grammar it went wrong.
    let first = error.lines().map(str::trim).find(|line| !line.is_empty()).unwrap_or_default();
    let first: String = first.chars().take(FAULT_CHARS_MAX).collect();
    invalid("response_format", &format!("cannot be followed: {first}")).detail(error)
}

impl fmt::Debug for Constraint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Constraint").field("stop_reason", &self.matcher.stop_reason()).finish()
    }
}
