//! How does an answer reach the tab that asked: piece by piece, or whole?

use portico_relay::batch::Batch;
use portico_relay::queue::Ticket;
use portico_shared::generation::{Answer, AnswerHead, Delta};
use portico_shared::openai::{ChatCompletionChunk, Completion, FinishReason, PorticoInfo, Usage};

use super::Leader;
use crate::js::scope::now_ms;
use crate::protocol::FromWorker;

enum Form {
    Chat,
    ChatStream(Batch<ChatCompletionChunk>),
    Completion,
    CompletionStream(Batch<Completion>),
}

/// Takes deltas and tells the tab what it is to know now.
pub struct Sink<'a> {
    leader: &'a Leader,
    ticket: &'a Ticket,
    head: AnswerHead,
    form: Form,
    whole: Answer,
}

impl<'a> Sink<'a> {
    pub fn chat(leader: &'a Leader, ticket: &'a Ticket, head: AnswerHead, stream: bool) -> Self {
        let form = if stream { Form::ChatStream(Batch::default()) } else { Form::Chat };
        Self { leader, ticket, head, form, whole: Answer::default() }
    }

    pub fn completion(
        leader: &'a Leader,
        ticket: &'a Ticket,
        head: AnswerHead,
        stream: bool,
    ) -> Self {
        let form = if stream { Form::CompletionStream(Batch::default()) } else { Form::Completion };
        Self { leader, ticket, head, form, whole: Answer::default() }
    }

    /// A chat stream's first chunk says who speaks.
    pub fn open(&self) {
        if let Form::ChatStream(_) = self.form {
            self.tell_chunk(self.head.chat_opening());
        }
    }

    pub fn delta(&mut self, delta: Delta) {
        match &mut self.form {
            Form::Chat | Form::Completion => self.whole.add(delta),
            Form::ChatStream(batch) => {
                if let Some(chunk) = batch.push(self.head.chat_delta(&delta), now_ms()) {
                    self.tell_chunk(chunk);
                }
            }
            Form::CompletionStream(batch) => {
                if let Some(piece) = batch.push(self.head.completion_delta(&delta), now_ms()) {
                    self.tell_completion(piece);
                }
            }
        }
    }

    pub fn end(&mut self, reason: FinishReason, usage: Usage, portico: PorticoInfo) {
        self.flush();
        let id = self.ticket.id.clone();
        match &self.form {
            Form::Chat => {
                let whole = self.head.chat_whole(&self.whole, reason, usage, portico);
                self.tell(FromWorker::Chat { id, completion: Box::new(whole) });
            }
            Form::ChatStream(_) => {
                self.tell_chunk(self.head.chat_end(reason, Some(usage), Some(portico)));
            }
            Form::Completion => {
                let whole = self.head.completion_whole(&self.whole, reason, usage, portico);
                self.tell_completion(whole);
            }
            Form::CompletionStream(_) => {
                let end = self.head.completion_end(reason, Some(usage), Some(portico));
                self.tell_completion(end);
            }
        }
    }

    /// Tells what is held back, before a pause or an error.
    pub fn flush(&mut self) {
        match &mut self.form {
            Form::Chat | Form::Completion => {}
            Form::ChatStream(batch) => {
                if let Some(chunk) = batch.flush() {
                    self.tell_chunk(chunk);
                }
            }
            Form::CompletionStream(batch) => {
                if let Some(piece) = batch.flush() {
                    self.tell_completion(piece);
                }
            }
        }
    }

    fn tell_chunk(&self, chunk: ChatCompletionChunk) {
        self.tell(FromWorker::ChatChunk { id: self.ticket.id.clone(), chunk: Box::new(chunk) });
    }

    fn tell_completion(&self, completion: Completion) {
        let completion = Box::new(completion);
        self.tell(FromWorker::Completion { id: self.ticket.id.clone(), completion });
    }

    fn tell(&self, message: FromWorker) {
        (self.leader.deliver)(Some(&self.ticket.tab), message);
    }
}
