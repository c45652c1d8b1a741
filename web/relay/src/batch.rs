//! When is a delta told to the page, and what is told with it?
//!
//! A fast GPU makes hundreds of tokens a second; a page paints sixty times. Deltas of one answer are
//! joined until a frame has passed, so that the page's cost does not grow with the engine's speed.

use portico_shared::openai::{ChatCompletionChunk, Completion};

/// Milliseconds between two messages of one answer.
pub const FRAME_MS: f64 = 16.0;

/// A piece of an answer that can take the next piece in.
pub trait Piece: Sized {
    /// Appends `next`; what follows the text (finish reason, usage) is taken from `next`.
    fn join(&mut self, next: Self);
    /// Whether nothing more can follow in this choice, so that waiting makes no sense.
    fn is_last(&self) -> bool;
}

/// Holds back the pieces of one answer for at most a frame.
#[derive(Debug)]
pub struct Batch<P> {
    held: Option<P>,
    last_sent_ms: f64,
}

impl<P> Default for Batch<P> {
    fn default() -> Self {
        Self { held: None, last_sent_ms: f64::NEG_INFINITY }
    }
}

impl<P: Piece> Batch<P> {
    /// Takes the next piece at `now_ms`; gives what is to be sent now, if anything.
    pub fn push(&mut self, piece: P, now_ms: f64) -> Option<P> {
        let held = match self.held.take() {
            Some(mut held) => {
                held.join(piece);
                held
            }
            None => piece,
        };
        if held.is_last() || now_ms - self.last_sent_ms >= FRAME_MS {
            self.last_sent_ms = now_ms;
            Some(held)
        } else {
            self.held = Some(held);
            None
        }
    }

    /// What is still held, at the answer's end or before a pause.
    pub fn flush(&mut self) -> Option<P> {
        self.held.take()
    }
}

impl Piece for ChatCompletionChunk {
    fn join(&mut self, next: Self) {
        for choice in next.choices {
            let Some(own) = self.choices.iter_mut().find(|own| own.index == choice.index) else {
                self.choices.push(choice);
                continue;
            };
            let (delta, more) = (&mut own.delta, choice.delta);
            match (&mut delta.content, more.content) {
                (Some(text), Some(more)) => text.push_str(&more),
                (content @ None, more) => *content = more,
                (Some(_), None) => {}
            }
            delta.role = delta.role.or(more.role);
            delta.token_ids.extend(more.token_ids);
            for more in more.tool_calls.into_iter().flatten() {
                let calls = delta.tool_calls.get_or_insert_default();
                match calls.iter_mut().find(|call| call.index == more.index) {
                    Some(call) => call.join(more),
                    None => calls.push(more),
                }
            }
            match (&mut own.logprobs, choice.logprobs) {
                (Some(own), Some(more)) => {
                    own.content.extend(more.content);
                    own.token_ids.extend(more.token_ids);
                    own.top_token_ids.extend(more.top_token_ids);
                }
                (own @ None, more) => *own = more,
                (Some(_), None) => {}
            }
            own.finish_reason = own.finish_reason.or(choice.finish_reason);
        }
        self.usage = next.usage.or(self.usage);
        self.portico = next.portico.or(self.portico.take());
    }

    fn is_last(&self) -> bool {
        self.choices.iter().any(|choice| choice.finish_reason.is_some())
    }
}

impl Piece for Completion {
    fn join(&mut self, next: Self) {
        for choice in next.choices {
            let Some(own) = self.choices.iter_mut().find(|own| own.index == choice.index) else {
                self.choices.push(choice);
                continue;
            };
            own.text.push_str(&choice.text);
            own.token_ids.extend(choice.token_ids);
            match (&mut own.logprobs, choice.logprobs) {
                (Some(own), Some(more)) => {
                    own.tokens.extend(more.tokens);
                    own.token_logprobs.extend(more.token_logprobs);
                    own.top_logprobs.extend(more.top_logprobs);
                    own.text_offset.extend(more.text_offset);
                    own.token_ids.extend(more.token_ids);
                    own.top_token_ids.extend(more.top_token_ids);
                }
                (own @ None, more) => *own = more,
                (Some(_), None) => {}
            }
            own.finish_reason = own.finish_reason.or(choice.finish_reason);
        }
        self.usage = next.usage.or(self.usage);
        self.portico = next.portico.or(self.portico.take());
    }

    fn is_last(&self) -> bool {
        self.choices.iter().any(|choice| choice.finish_reason.is_some())
    }
}

#[cfg(test)]
mod tests {
    use portico_shared::openai::{
        ChunkChoice, CompletionChoice, Delta, FinishReason, FunctionDelta, ToolCallDelta,
    };
    use proptest::prelude::*;

    use super::*;

    fn chunk(text: &str, token: u32, finish_reason: Option<FinishReason>) -> ChatCompletionChunk {
        ChatCompletionChunk {
            id: "1".into(),
            object: "chat.completion.chunk".into(),
            created: 0,
            model: "m".into(),
            choices: vec![ChunkChoice {
                index: 0,
                delta: Delta {
                    content: (!text.is_empty()).then(|| text.to_owned()),
                    token_ids: vec![token],
                    ..Delta::default()
                },
                logprobs: None,
                finish_reason,
            }],
            usage: None,
            portico: None,
        }
    }

    proptest! {
        #[test]
        fn batching_changes_no_text_and_no_token(
            pieces in prop::collection::vec(("[a-zäß]{0,3}", 0.0..40.0f64), 1..50),
        ) {
            let (mut batch, mut now_ms, mut sent) = (Batch::default(), 0.0, Vec::new());
            let n = pieces.len();
            for (token, (text, wait_ms)) in pieces.iter().enumerate() {
                now_ms += wait_ms;
                let finish = (token + 1 == n).then_some(FinishReason::Stop);
                let piece = chunk(text, token as u32, finish);
                sent.extend(batch.push(piece, now_ms).map(|piece| (now_ms, piece)));
            }
            prop_assert!(batch.flush().is_none());
            let text: String = sent
                .iter()
                .filter_map(|(_, piece)| piece.choices[0].delta.content.clone())
                .collect();
            prop_assert_eq!(text, pieces.iter().map(|(text, _)| text.as_str()).collect::<String>());
            let tokens: Vec<u32> =
                sent.iter().flat_map(|(_, piece)| piece.choices[0].delta.token_ids.clone()).collect();
            prop_assert_eq!(tokens, (0..n as u32).collect::<Vec<_>>());
            let (_, last) = sent.pop().expect("the last piece is always sent");
            prop_assert_eq!(last.choices[0].finish_reason, Some(FinishReason::Stop));
            for pair in sent.windows(2) {
                prop_assert!(pair[1].0 - pair[0].0 >= FRAME_MS);
            }
        }
    }

    #[test]
    fn calls_of_tools_are_joined_by_index() {
        let piece = |index, name: Option<&str>, arguments: &str| {
            let mut chunk = chunk("", 0, None);
            chunk.choices[0].delta.tool_calls = Some(vec![ToolCallDelta {
                index,
                id: name.map(|_| format!("call{index}")),
                kind: None,
                function: FunctionDelta {
                    name: name.map(str::to_owned),
                    arguments: Some(arguments.to_owned()),
                },
            }]);
            chunk
        };
        let mut joined = piece(0, Some("f"), "{");
        joined.join(piece(0, None, "}"));
        joined.join(piece(1, Some("g"), "{"));
        joined.join(piece(1, None, "\"a\":1}"));
        let calls = joined.choices[0].delta.tool_calls.take().unwrap();
        let parts: Vec<_> = calls
            .iter()
            .map(|call| (call.id.as_deref(), call.function.arguments.as_deref()))
            .collect();
        assert_eq!(parts, [(Some("call0"), Some("{}")), (Some("call1"), Some(r#"{"a":1}"#))]);
    }

    #[test]
    fn completions_are_joined_too() {
        let piece = |text: &str, token| Completion {
            id: "1".into(),
            object: "text_completion".into(),
            created: 0,
            model: "m".into(),
            choices: vec![CompletionChoice {
                index: 0,
                text: text.into(),
                logprobs: None,
                finish_reason: None,
                token_ids: vec![token],
            }],
            usage: None,
            portico: None,
        };
        let mut batch = Batch::default();
        assert!(batch.push(piece("a", 1), 0.0).is_some());
        assert!(batch.push(piece("b", 2), 1.0).is_none());
        let joined = batch.push(piece("c", 3), 20.0).expect("a frame has passed");
        assert_eq!(joined.choices[0].text, "bc");
        assert_eq!(joined.choices[0].token_ids, [2, 3]);
    }
}
