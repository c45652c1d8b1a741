//! How is an answer on this device held to its form?

use std::cell::{Cell, RefCell};
use std::collections::BTreeMap;

use portico_shared::error::{ApiError, ErrorCode};
use portico_shared::grammar::{Constrain, Grammar, TokenTable, apply_mask};
use portico_shared::tokenizer::Tokenizer;
use wasm_bindgen::JsValue;

use crate::js::error::JsError;
use crate::js::grammar::{Held, Vocabulary, vocabulary};

thread_local! {
    /// Answers in the making, by number: a `Generation` may cross threads where there are any, and a
    /// browser's value may not.
    static HELD: RefCell<BTreeMap<u32, Held>> = const { RefCell::new(BTreeMap::new()) };
    /// A panic in the other Wasm: nothing in it is of use any more.
    static IS_BROKEN: Cell<bool> = const { Cell::new(false) };
}

/// Compiles grammars for the loaded model.
#[derive(Default)]
pub struct Grammars {
    vocabulary: Option<Vocabulary>,
}

impl Grammars {
    /// # Errors
    /// `invalid_request`, naming what is wrong with the grammar; `grammar_unavailable` where the Wasm
    /// for it cannot be had.
    pub async fn constraint(
        &mut self,
        tokenizer: &Tokenizer,
        grammar: &Grammar,
    ) -> Result<Box<dyn Constrain>, ApiError> {
        let is_broken = IS_BROKEN.take();
        if self.vocabulary.is_none() || is_broken {
            let loaded = vocabulary(is_broken, &TokenTable::new(tokenizer)).await;
            self.vocabulary = Some(loaded.map_err(error_from)?);
        }
        let Some(vocabulary) = &self.vocabulary else { return Err(error_from(JsValue::NULL)) };
        let grammar = serde_json::to_string(grammar)
            .map_err(|error| ApiError::new(ErrorCode::Internal).detail(error))?;
        let compiled = vocabulary.compile(&grammar).and_then(|held| {
            let is_finished = held.is_finished()?;
            Ok((held, is_finished))
        });
        let (held, is_finished) = compiled.map_err(error_from)?;
        let number = HELD.with_borrow_mut(|all| {
            let number = all.last_key_value().map_or(0, |(last, _)| last + 1);
            all.insert(number, held);
            number
        });
        Ok(Box::new(Constraint { number, is_finished }))
    }
}

struct Constraint {
    number: u32,
    is_finished: bool,
}

impl Constraint {
    fn with<T>(&self, call: impl FnOnce(&Held) -> Result<T, JsValue>) -> Result<T, ApiError> {
        let called = HELD.with_borrow(|all| all.get(&self.number).map(call));
        called.unwrap_or(Err(JsValue::NULL)).map_err(error_from)
    }
}

impl Constrain for Constraint {
    fn mask(&mut self, logits: &mut [f32]) -> Result<(), ApiError> {
        apply_mask(&self.with(Held::allowed)?, logits);
        Ok(())
    }

    fn land(&mut self, id: u32, n_left: u32) -> Result<u32, ApiError> {
        self.with(|held| held.land(id, n_left))
    }

    fn accept(&mut self, id: u32) -> Result<(), ApiError> {
        self.is_finished = self.with(|held| held.accept(id))?;
        Ok(())
    }

    fn is_finished(&self) -> bool {
        self.is_finished
    }
}

impl Drop for Constraint {
    fn drop(&mut self) {
        if let Some(held) = HELD.with_borrow_mut(|all| all.remove(&self.number)) {
            // What is freed in a Wasm that broke went with it.
            let _ = held.free();
        }
    }
}

/// What the other Wasm says, or how it failed.
fn error_from(thrown: JsValue) -> ApiError {
    let said = thrown.as_string().and_then(|json| serde_json::from_str(&json).ok());
    said.unwrap_or_else(|| {
        IS_BROKEN.set(true);
        ApiError::new(ErrorCode::GrammarUnavailable).detail(JsError::from(thrown))
    })
}
