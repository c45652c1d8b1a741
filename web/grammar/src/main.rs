//! How does the engine's worker hold an answer to its form? By the grammars of `portico_shared`, in a
//! Wasm of their own: they are a third of the page's size, and most people never need them. A panic
//! in here ends this Wasm and not the worker.
//!
//! Errors are thrown as the JSON of an `ApiError`.

use portico_shared::error::{ApiError, ErrorCode};
use portico_shared::grammar::{Constrain, Constraint, Grammar, GrammarEnv, TokenTable};
use wasm_bindgen::prelude::*;

fn main() {}

/// A model's tokens, ready to be held against a grammar.
#[wasm_bindgen]
pub struct Vocabulary {
    env: GrammarEnv,
}

#[wasm_bindgen]
impl Vocabulary {
    /// Of a [`TokenTable`]'s parts.
    #[wasm_bindgen(constructor)]
    pub fn new(bytes: Vec<u8>, ends: Vec<u32>, end_ids: Vec<u32>) -> Result<Vocabulary, JsValue> {
        let env = GrammarEnv::new(&TokenTable { bytes, ends, end_ids }).map_err(thrown)?;
        Ok(Self { env })
    }

    /// Compiles a [`Grammar`], which comes as JSON.
    pub fn compile(&self, grammar: &str) -> Result<Held, JsValue> {
        let grammar: Grammar = serde_json::from_str(grammar)
            .map_err(|error| thrown(ApiError::new(ErrorCode::Internal).detail(error)))?;
        Ok(Held { constraint: self.env.compile(&grammar).map_err(thrown)? })
    }
}

/// An answer that is held to its form.
#[wasm_bindgen]
pub struct Held {
    constraint: Constraint,
}

#[wasm_bindgen]
impl Held {
    /// A bit for each token, 1 for those that may come next.
    pub fn allowed(&mut self) -> Result<Vec<u32>, JsValue> {
        Ok(self.constraint.allowed().map_err(thrown)?.as_slice().to_vec())
    }

    /// The token to take where `n_left` more may come: `id`, or one that leads to an end.
    pub fn land(&mut self, id: u32, n_left: u32) -> Result<u32, JsValue> {
        self.constraint.land(id, n_left).map_err(thrown)
    }

    /// Takes a token; true when the text is whole.
    pub fn accept(&mut self, id: u32) -> Result<bool, JsValue> {
        self.constraint.accept(id).map_err(thrown)?;
        Ok(self.constraint.is_finished())
    }

    pub fn is_finished(&self) -> bool {
        self.constraint.is_finished()
    }
}

fn thrown(error: ApiError) -> JsValue {
    JsValue::from_str(&serde_json::to_string(&error).unwrap_or_default())
}
