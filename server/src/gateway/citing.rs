//! How does an answer that rests on documents leave? Its text is read for citations as it passes, whoever
//! wrote it, and `portico` says what it could rest on and what it cites.

use std::collections::{BTreeMap, VecDeque};

use axum::body::Bytes;
use futures_util::StreamExt as _;
use portico_shared::error::{ApiError, ErrorCode, Lang};
use portico_shared::generation::{Answer, AnswerHead, Delta};
use portico_shared::grounding::{
    Citation, CitationReader, Cited, Coverage, Source as Passage, attributions, lang_of,
    nothing_found,
};
use portico_shared::openai::{FinishReason, Place, PorticoInfo, Usage};
use serde_json::{Map, Value};

use super::events::{Pieces, Source, pieces};
use super::here::{fresh_id, json};

/// What an answer may rest on.
#[derive(Clone, Debug, Default)]
pub struct Citing {
    pub model: String,
    /// What was searched for.
    pub query: String,
    pub sources: Vec<Passage>,
    pub coverage: Option<Coverage>,
}

impl Citing {
    /// The question's language, where it shows.
    fn lang(&self, fallback: Lang) -> Lang {
        lang_of(&self.query).unwrap_or(fallback)
    }

    fn info(&self) -> PorticoInfo {
        PorticoInfo {
            query: Some(self.query.clone()),
            sources: Some(self.sources.clone()),
            coverage: self.coverage,
            ..PorticoInfo::new(Place::Server, self.model.as_str())
        }
    }

    /// A stream's pieces, read for citations.
    pub fn pieces(self, answer: Pieces) -> Pieces {
        pieces(CitedSource { answer, passing: Passing::new(self) })
    }

    /// A whole answer, read for citations.
    ///
    /// # Errors
    /// `upstream_failed` where it is no answer.
    pub fn whole(&self, answer: &[u8]) -> Result<Bytes, ApiError> {
        let mut answer = object(answer)?;
        let mut all = Vec::new();
        for choice in answer.get_mut("choices").and_then(Value::as_array_mut).into_iter().flatten()
        {
            let mut reading = Reading::new(self);
            let Some(content) = choice.pointer_mut("/message/content") else { continue };
            let Value::String(text) = content else { continue };
            let mut read = reading.push(text);
            let rest = reading.finish(&self.sources);
            read.text.push_str(&rest.text);
            *content = read.text.into();
            all.extend(reading.citations);
        }
        let info = PorticoInfo { citations: all, ..self.info() };
        add_info(&mut answer, info)?;
        json(&answer)
    }

    /// The answer where nothing relevant was found: no model is asked.
    ///
    /// # Errors
    /// `internal`
    pub fn nothing_whole(&self, lang: Lang) -> Result<Bytes, ApiError> {
        let mut answer = Answer::default();
        answer.add(Delta { text: nothing_found(self.lang(lang)).to_owned(), ..Delta::default() });
        let head = self.head();
        json(&head.chat_whole(&answer, FinishReason::Stop, Usage::default(), self.info()))
    }

    /// The same as a stream.
    pub fn nothing_pieces(&self, lang: Lang, include_usage: bool) -> Pieces {
        let (head, info) = (self.head(), self.info());
        let delta = Delta { text: nothing_found(self.lang(lang)).to_owned(), ..Delta::default() };
        let mut opening = head.chat_opening();
        opening.portico = Some(info.clone());
        let end = head.chat_end(FinishReason::Stop, None, Some(info));
        let mut usage = head.chat_end(FinishReason::Stop, Some(Usage::default()), None);
        usage.choices.clear();
        let mut chunks = vec![opening, head.chat_delta(&delta), end];
        chunks.extend(include_usage.then_some(usage));
        let chunks: Vec<_> = chunks.iter().map(json).collect();
        Box::pin(futures_util::stream::iter(chunks))
    }

    fn head(&self) -> AnswerHead {
        AnswerHead {
            id: fresh_id("chatcmpl"),
            created: crate::keys::now_s(),
            model: self.model.clone(),
        }
    }
}

pub fn object(json: &[u8]) -> Result<Map<String, Value>, ApiError> {
    serde_json::from_slice(json)
        .map_err(|error| ApiError::new(ErrorCode::UpstreamFailed).detail(error))
}

/// Adds what an answer rests on to what is said of it already.
fn add_info(answer: &mut Map<String, Value>, info: PorticoInfo) -> Result<(), ApiError> {
    let made = serde_json::to_value(info)
        .map_err(|error| ApiError::new(ErrorCode::Internal).detail(error))?;
    let (Value::Object(mut made), said) = (made, answer.remove("portico")) else { return Ok(()) };
    // Who answered and how fast stands as it was said.
    for (name, value) in said.iter().filter_map(Value::as_object).flatten() {
        if !value.is_null() {
            made.insert(name.clone(), value.clone());
        }
    }
    answer.insert("portico".to_owned(), Value::Object(made));
    Ok(())
}

/// One choice that is being read.
struct Reading {
    reader: CitationReader,
    text: String,
    citations: Vec<Citation>,
    /// Characters that were said before anything was searched.
    n_before: u32,
}

impl Reading {
    fn new(citing: &Citing) -> Self {
        let reader = CitationReader::new(citing.sources.len() as u32);
        Self { reader, text: String::new(), citations: Vec::new(), n_before: 0 }
    }

    fn push(&mut self, text: &str) -> Cited {
        let cited = self.reader.push(text);
        self.noted(cited)
    }

    /// What was held back, and where the model cited nothing, what its sentences rest on.
    fn finish(&mut self, sources: &[Passage]) -> Cited {
        let cited = self.reader.finish();
        let mut cited = self.noted(cited);
        if self.citations.is_empty() {
            cited.citations = attributions(&self.text, sources);
            self.place(&mut cited.citations);
            self.citations.clone_from(&cited.citations);
        }
        cited
    }

    fn noted(&mut self, mut cited: Cited) -> Cited {
        self.place(&mut cited.citations);
        self.text.push_str(&cited.text);
        self.citations.extend(&cited.citations);
        cited
    }

    fn place(&self, citations: &mut [Citation]) {
        citations.iter_mut().for_each(|citation| citation.at += self.n_before);
    }
}

/// Chunks as they pass.
pub struct Passing {
    citing: Citing,
    choices: BTreeMap<u64, Reading>,
    /// The sources were told.
    is_told: bool,
}

impl Passing {
    pub fn new(citing: Citing) -> Self {
        Self { citing, choices: BTreeMap::new(), is_told: false }
    }

    /// More was found while the answer was made.
    pub fn set(&mut self, citing: &Citing) {
        self.citing = citing.clone();
        self.is_told = false;
        for reading in self.choices.values_mut() {
            reading.reader.set_sources(citing.sources.len() as u32);
        }
    }

    fn chunk(&mut self, chunk: &[u8]) -> Result<Bytes, ApiError> {
        self.fields(object(chunk)?)
    }

    pub fn fields(&mut self, mut chunk: Map<String, Value>) -> Result<Bytes, ApiError> {
        // Where nothing was searched, `[1]` is the model's own affair.
        let has_searched = !self.citing.query.is_empty();
        let (mut news, mut is_end) = (Vec::new(), false);
        for choice in chunk.get_mut("choices").and_then(Value::as_array_mut).into_iter().flatten() {
            let index = choice.get("index").and_then(Value::as_u64).unwrap_or(0);
            let reading = self.choices.entry(index).or_insert_with(|| Reading::new(&self.citing));
            let ends = choice.get("finish_reason").is_some_and(|reason| !reason.is_null());
            let Some(Value::Object(delta)) = choice.get_mut("delta") else { continue };
            let said = delta.get("content").and_then(Value::as_str).map(str::to_owned);
            if !has_searched {
                reading.n_before += said.unwrap_or_default().chars().count() as u32;
                continue;
            }
            let mut read = reading.push(said.as_deref().unwrap_or_default());
            if ends {
                let rest = reading.finish(&self.citing.sources);
                read.text.push_str(&rest.text);
                is_end = true;
            }
            if said.is_some() || !read.text.is_empty() {
                delta.insert("content".to_owned(), read.text.into());
            }
            match ends {
                true => news.extend(&reading.citations),
                false => news.extend(read.citations),
            }
        }
        let is_choice =
            chunk.get("choices").and_then(Value::as_array).is_some_and(|c| !c.is_empty());
        let is_first =
            has_searched && is_choice && !std::mem::replace(&mut self.is_told, has_searched);
        if is_first || is_end {
            add_info(&mut chunk, PorticoInfo { citations: news, ..self.citing.info() })?;
        } else if !news.is_empty() {
            let info = PorticoInfo::new(Place::Server, self.citing.model.as_str());
            add_info(&mut chunk, PorticoInfo { citations: news, ..info })?;
        }
        json(&chunk)
    }
}

struct CitedSource {
    answer: Pieces,
    passing: Passing,
}

impl Source for CitedSource {
    async fn fill(&mut self, ready: &mut VecDeque<Result<Bytes, ApiError>>) -> bool {
        match self.answer.next().await {
            Some(Ok(chunk)) => ready.push_back(self.passing.chunk(&chunk)),
            Some(Err(error)) => ready.push_back(Err(error)),
            None => return false,
        }
        true
    }
}

#[cfg(test)]
mod tests {
    use futures_util::stream;
    use portico_shared::grounding::CitedBy;
    use portico_shared::openai::ChatCompletionChunk;
    use serde_json::json;
    use uuid::Uuid;

    use super::*;

    fn citing() -> Citing {
        let passage = |n: u32, text: &str| Passage {
            n,
            passage: Uuid::from_u128(n.into()),
            document: Uuid::from_u128(9),
            name: "Handbook".to_owned(),
            heading_path: Vec::new(),
            page: Some(n),
            section: None,
            text: text.to_owned(),
            similarity: None,
        };
        Citing {
            model: "m".to_owned(),
            query: "q".to_owned(),
            sources: vec![
                passage(1, "The membership fee is 60 euros."),
                passage(2, "The pool opens at eight o'clock."),
            ],
            coverage: None,
        }
    }

    async fn streamed(citing: Citing, parts: &[&str], portico: Value) -> Vec<ChatCompletionChunk> {
        let chunk = |delta: Value, reason: Value, portico: Value| {
            let choices = json!([{ "index": 0, "delta": delta, "finish_reason": reason }]);
            let mut chunk = json!({ "id": "x", "object": "chat.completion.chunk", "created": 1,
                "model": "m", "choices": choices });
            if !portico.is_null() {
                chunk["portico"] = portico;
            }
            Ok(Bytes::from(chunk.to_string()))
        };
        let mut chunks =
            vec![chunk(json!({"role": "assistant", "content": ""}), Value::Null, Value::Null)];
        chunks.extend(
            parts.iter().map(|part| chunk(json!({"content": part}), Value::Null, Value::Null)),
        );
        chunks.push(chunk(json!({}), json!("stop"), portico));
        let read = citing.pieces(Box::pin(stream::iter(chunks)));
        let read: Vec<_> = read.collect().await;
        read.into_iter().map(|piece| serde_json::from_slice(&piece.unwrap()).unwrap()).collect()
    }

    fn text(chunks: &[ChatCompletionChunk]) -> String {
        let deltas = chunks.iter().flat_map(|chunk| &chunk.choices);
        deltas.filter_map(|choice| choice.delta.content.clone()).collect()
    }

    #[tokio::test]
    async fn a_stream_says_its_sources_first_and_its_citations_as_they_come_and_all_at_the_end() {
        let measured = json!({ "place": "server", "model": "other", "time_to_first_token_ms": 5.0,
            "prefill_tokens_per_s": null, "decode_tokens_per_s": null });
        let chunks =
            streamed(citing(), &["60 euros [", "1] or [", "7", "]. At eight [2"], measured).await;
        assert_eq!(text(&chunks), "60 euros [1] or. At eight [2");
        let info = |i: usize| chunks[i].portico.clone();
        let first = info(0).unwrap();
        assert_eq!(first.sources.unwrap().len(), 2);
        assert_eq!(first.query.as_deref(), Some("q"));
        assert!(info(1).is_none());
        assert_eq!(info(2).unwrap().citations, [Citation { n: 1, at: 9, by: CitedBy::Model }]);
        let last = info(5).unwrap();
        assert_eq!((last.model.as_str(), last.time_to_first_token_ms), ("other", Some(5.0)));
        assert_eq!((last.citations.len(), last.sources.unwrap().len()), (1, 2));
    }

    #[tokio::test]
    async fn an_answer_that_cites_nothing_is_compared_with_its_sources() {
        let chunks =
            streamed(citing(), &["The membership fee", " is 60 euros."], Value::Null).await;
        assert_eq!(text(&chunks), "The membership fee is 60 euros.");
        let last = chunks.last().unwrap().portico.clone().unwrap();
        assert_eq!(last.citations, [Citation { n: 1, at: 31, by: CitedBy::Comparison }]);
        let whole = json!({ "id": "x", "choices": [{ "index": 0, "message":
            { "role": "assistant", "content": "It is 60 [1] [9]." } }] });
        let whole = citing().whole(whole.to_string().as_bytes()).unwrap();
        let whole: Value = serde_json::from_slice(&whole).unwrap();
        assert_eq!(whole["choices"][0]["message"]["content"], "It is 60 [1].");
        assert_eq!(whole["portico"]["citations"][0]["n"], 1);
        assert!(citing().whole(b"no JSON").is_err());
    }

    #[tokio::test]
    async fn where_nothing_was_found_it_is_said_in_the_persons_language() {
        let nothing = Citing { sources: Vec::new(), ..citing() };
        let whole: Value =
            serde_json::from_slice(&nothing.nothing_whole(Lang::De).unwrap()).unwrap();
        assert!(
            whole["choices"][0]["message"]["content"].as_str().unwrap().contains("nichts gefunden")
        );
        assert_eq!(whole["portico"]["sources"], json!([]));
        let chunks: Vec<_> = nothing.nothing_pieces(Lang::En, true).collect().await;
        assert_eq!(chunks.len(), 4);
        assert!(String::from_utf8_lossy(chunks[1].as_ref().unwrap()).contains("found nothing"));
    }
}
