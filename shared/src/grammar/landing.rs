//! How does a text that may not grow much longer come to an end that is still of its form?
//!
//! By trying: the grammar itself says what may come next, and of that what closes is taken first.
//! What was tried is taken back. It is a short way and not always the shortest.

use std::sync::Arc;

use llguidance::Matcher;
use llguidance::toktrie::SimpleVob;

/// Nothing longer is looked for.
const CLOSING_TOKENS_MAX: u32 = 256;
/// With less to spare than this, every token is tried.
const CAREFUL_TOKENS: u32 = 24;
/// More tokens than this (or than a quarter of few) are allowed only inside of free text, where
/// brackets close nothing.
const FREE_TEXT_TOKENS: usize = 500;

/// What closes JSON, by a vocabulary's ids.
#[derive(Clone, Debug)]
pub(super) struct Closers {
    quote: Option<u32>,
    brackets: Vec<u32>,
    /// Bytes of each token.
    token_bytes: Arc<Vec<u16>>,
}

impl Closers {
    pub(super) fn new(words: &[Vec<u8>]) -> Self {
        let id =
            |text: &str| words.iter().position(|word| word == text.as_bytes()).map(|id| id as u32);
        Self {
            quote: id("\""),
            brackets: ["}", "]"].into_iter().filter_map(id).collect(),
            token_bytes: Arc::new(words.iter().map(|word| word.len() as u16).collect()),
        }
    }

    /// The token that most likely leads to an end.
    fn choose(&self, allowed: &SimpleVob) -> Option<u32> {
        let many = FREE_TEXT_TOKENS.min(self.token_bytes.len() / 4);
        let is_free_text = allowed.num_set() > many;
        let brackets = if is_free_text { &[][..] } else { &self.brackets };
        let closer = brackets.iter().copied().chain(self.quote).find(|&id| allowed.is_allowed(id));
        // What is prescribed is soonest said in long tokens.
        let n_bytes = |id: &u32| self.token_bytes.get(*id as usize).copied().unwrap_or(0);
        closer.or_else(|| allowed.iter().max_by_key(n_bytes))
    }
}

/// Watches how far the end is.
#[derive(Clone, Debug)]
pub(super) struct Landing {
    closers: Closers,
    /// Tokens for which nothing needs to be tried.
    n_carefree: u32,
}

impl Landing {
    pub(super) fn new(closers: Closers) -> Self {
        Self { closers, n_carefree: 0 }
    }

    /// See [`super::Constrain::land`].
    ///
    /// # Errors
    /// Where llguidance's limits are reached.
    pub(super) fn land(
        &mut self,
        matcher: &mut Matcher,
        id: u32,
        n_left: u32,
    ) -> Result<u32, String> {
        if self.n_carefree > 0 {
            self.n_carefree -= 1;
            return Ok(id);
        }
        let n_behind = n_left.saturating_sub(1);
        if let Some(n_closing) = self.closing(matcher, Some(id), n_behind)?.map(|way| way.len()) {
            // One token may make the way to the end longer by many, but seldom each of several.
            let n_spare = n_behind - n_closing as u32;
            self.n_carefree = n_spare.saturating_sub(CAREFUL_TOKENS) / 4;
            return Ok(id);
        }
        let way = self.closing(matcher, None, n_left)?;
        Ok(way.and_then(|way| way.first().copied()).unwrap_or(id))
    }

    /// Tokens that end the text behind `id`, at most `n_max`; none where no such way is found.
    fn closing(
        &self,
        matcher: &mut Matcher,
        id: Option<u32>,
        n_max: u32,
    ) -> Result<Option<Vec<u32>>, String> {
        let text = |error: &dyn std::fmt::Display| error.to_string();
        let mut way = Vec::new();
        let mut n_tried = 0;
        if let Some(id) = id {
            matcher.consume_token(id).map_err(|error| text(&error))?;
            n_tried += 1;
        }
        let found = loop {
            if matcher.is_stopped() || matcher.is_accepting().map_err(|error| text(&error))? {
                break true;
            }
            if way.len() as u32 >= n_max.min(CLOSING_TOKENS_MAX) {
                break false;
            }
            let allowed = matcher.compute_mask().map_err(|error| text(&error))?;
            let Some(next) = self.closers.choose(&allowed) else { break false };
            matcher.consume_token(next).map_err(|error| text(&error))?;
            n_tried += 1;
            way.push(next);
        };
        matcher.rollback(n_tried).map_err(|error| text(&error))?;
        Ok(found.then_some(way))
    }
}
