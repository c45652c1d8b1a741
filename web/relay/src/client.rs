//! What has this tab asked, what has come back, and what must be asked again of a new leader?
//!
//! One [`Client`] lives in each tab's worker, between its page and whoever leads (it may be the same
//! worker). It is a function of events to messages; the worker moves them.
//!
//! When leadership changes, each unanswered request is sent again. What a streamed answer already
//! told the page goes along as the request's `portico_continue`, so the new leader goes on behind
//! it. Answers of a leader that is no longer the leader are dropped: what they say is said again.

use std::collections::BTreeMap;

use portico_shared::openai::Continuation;

use crate::bus::LeaderId;
use crate::protocol::{FromWorker, ModelState, RequestId, ToWorker};

/// What the worker must do for its client.
#[derive(Clone, Debug, PartialEq)]
pub enum Out {
    /// Send to the leader of now.
    ToLeader(ToWorker),
    ToPage(FromWorker),
}

/// A request without its last word.
#[derive(Clone, Debug)]
struct Pending {
    id: RequestId,
    /// [`ToWorker::Chat`], [`ToWorker::Complete`] or [`ToWorker::Embed`], as it would be asked again now.
    ask: ToWorker,
    /// The page wants it ended.
    stopping: bool,
    /// The answer is whole; only [`FromWorker::Done`] is missing.
    answered: bool,
}

/// One tab's view of the engine.
#[derive(Clone, Debug, Default)]
pub struct Client {
    leader: Option<LeaderId>,
    /// In the order in which the page asked.
    pending: Vec<Pending>,
    /// The last state told to the page.
    models: BTreeMap<String, ModelState>,
    page_is_there: bool,
}

impl Client {
    /// Something from the page. Before a leader is known it is kept.
    pub fn from_page(&mut self, message: ToWorker) -> Vec<Out> {
        match &message {
            ToWorker::Hello => self.page_is_there = true,
            ToWorker::Chat { id, .. }
            | ToWorker::Complete { id, .. }
            | ToWorker::Embed { id, .. } => {
                if self.pending.iter().any(|pending| pending.id == *id) {
                    return Vec::new();
                }
                self.pending.push(Pending {
                    id: id.clone(),
                    ask: message.clone(),
                    stopping: false,
                    answered: false,
                });
            }
            ToWorker::Stop { id } => {
                let Some(at) = self.pending.iter().position(|pending| pending.id == *id) else {
                    return Vec::new();
                };
                if self.leader.is_none() {
                    self.pending.remove(at);
                    return vec![Out::ToPage(FromWorker::Done { id: id.clone(), stopped: true })];
                }
                self.pending[at].stopping = true;
            }
            // Wished for before anyone leads: remembered as a state that a new leader is to reach.
            ToWorker::Load { model } if self.leader.is_none() => {
                self.models.insert(
                    model.clone(),
                    ModelState::Downloading {
                        done_bytes: 0,
                        total_bytes: 0,
                        bytes_per_s: 0.0,
                        seconds_left: None,
                    },
                );
            }
            _ => {}
        }
        if self.leader.is_some() { vec![Out::ToLeader(message)] } else { Vec::new() }
    }

    /// Somebody says that they lead. Asks them for everything that is unanswered, unless they are
    /// the leader that this tab already knows.
    pub fn leader_announced(&mut self, leader: LeaderId) -> Vec<Out> {
        if self.leader.as_ref() == Some(&leader) {
            return Vec::new();
        }
        self.leader = Some(leader);
        let mut out = Vec::new();
        if self.page_is_there {
            out.push(Out::ToLeader(ToWorker::Hello));
        }
        // A model that was on its way or on the GPU is brought back there.
        for (model, state) in &self.models {
            if is_wanted(state) {
                out.push(Out::ToLeader(ToWorker::Load { model: model.clone() }));
            }
        }
        self.pending.retain(|pending| {
            let over = pending.answered || pending.stopping;
            out.push(if over {
                let (id, stopped) = (pending.id.clone(), !pending.answered);
                Out::ToPage(FromWorker::Done { id, stopped })
            } else {
                Out::ToLeader(pending.ask.clone())
            });
            !over
        });
        out
    }

    /// An answer of `leader`, on its way to the page.
    pub fn from_leader(&mut self, leader: &LeaderId, message: FromWorker) -> Vec<Out> {
        if self.leader.as_ref() != Some(leader) {
            return Vec::new();
        }
        match &message {
            FromWorker::ChatChunk { id, chunk } => {
                let Some(pending) = self.pending(id) else { return Vec::new() };
                for choice in &chunk.choices {
                    pending.remember(&choice.delta.token_ids);
                    pending.answered |= choice.finish_reason.is_some();
                }
                // Usage alone may follow the last choice; without choices nothing new is told.
            }
            FromWorker::Completion { id, completion } => {
                let Some(pending) = self.pending(id) else { return Vec::new() };
                for choice in &completion.choices {
                    pending.remember(&choice.token_ids);
                    pending.answered |= choice.finish_reason.is_some();
                }
            }
            FromWorker::Chat { id, .. } | FromWorker::Embedded { id, .. } => {
                let Some(pending) = self.pending(id) else { return Vec::new() };
                pending.answered = true;
            }
            FromWorker::Done { id, .. } | FromWorker::Failed { id, .. } => {
                let Some(at) = self.pending.iter().position(|pending| pending.id == *id) else {
                    return Vec::new();
                };
                self.pending.remove(at);
            }
            FromWorker::ModelState { model, state } => {
                self.models.insert(model.clone(), state.clone());
            }
            _ => {}
        }
        vec![Out::ToPage(message)]
    }

    fn pending(&mut self, id: &RequestId) -> Option<&mut Pending> {
        self.pending.iter_mut().find(|pending| pending.id == *id)
    }
}

impl Pending {
    /// The page has the text of these tokens: asked again, the answer goes on behind them.
    fn remember(&mut self, token_ids: &[u32]) {
        if token_ids.is_empty() {
            return;
        }
        let standing = match &mut self.ask {
            ToWorker::Chat { request, .. } => &mut request.portico_continue,
            ToWorker::Complete { request, .. } => {
                // The prompt's own text came with the first piece.
                request.echo = false;
                &mut request.portico_continue
            }
            _ => return,
        };
        standing.get_or_insert_with(Continuation::default).token_ids.extend_from_slice(token_ids);
    }
}

fn is_wanted(state: &ModelState) -> bool {
    matches!(
        state,
        ModelState::Downloading { .. }
            | ModelState::Uploading { .. }
            | ModelState::Warming
            | ModelState::Ready { .. }
    )
}

#[cfg(test)]
mod tests {
    use portico_shared::openai::{
        ChatCompletionChunk, ChatCompletionRequest, ChunkChoice, Delta, FinishReason,
    };

    use super::*;

    fn leader(name: &str) -> LeaderId {
        LeaderId(name.into())
    }

    fn chat(id: &str) -> ToWorker {
        let request: ChatCompletionRequest = serde_json::from_value(
            serde_json::json!({"model": "m", "messages": [], "stream": true}),
        )
        .unwrap();
        ToWorker::Chat { id: id.into(), request: Box::new(request) }
    }

    fn chunk(id: &str, token: u32, finish_reason: Option<FinishReason>) -> FromWorker {
        FromWorker::ChatChunk {
            id: id.into(),
            chunk: Box::new(ChatCompletionChunk {
                id: id.into(),
                object: "chat.completion.chunk".into(),
                created: 0,
                model: "m".into(),
                choices: vec![ChunkChoice {
                    index: 0,
                    delta: Delta {
                        content: Some(format!("{token} ")),
                        token_ids: vec![token],
                        ..Delta::default()
                    },
                    logprobs: None,
                    finish_reason,
                }],
                usage: None,
                portico: None,
            }),
        }
    }

    fn done(id: &str, stopped: bool) -> FromWorker {
        FromWorker::Done { id: id.into(), stopped }
    }

    /// Token ids that a request says already stand.
    fn standing(out: &Out) -> Vec<u32> {
        match out {
            Out::ToLeader(ToWorker::Chat { request, .. }) => {
                request.portico_continue.clone().unwrap_or_default().token_ids
            }
            other => panic!("not a chat: {other:?}"),
        }
    }

    #[test]
    fn what_is_asked_before_anyone_leads_is_asked_then() {
        let mut client = Client::default();
        assert_eq!(client.from_page(ToWorker::Hello), []);
        assert_eq!(client.from_page(ToWorker::Load { model: "m".into() }), []);
        assert_eq!(client.from_page(chat("1")), []);
        assert_eq!(
            client.leader_announced(leader("a")),
            [
                Out::ToLeader(ToWorker::Hello),
                Out::ToLeader(ToWorker::Load { model: "m".into() }),
                Out::ToLeader(chat("1")),
            ]
        );
        assert_eq!(client.leader_announced(leader("a")), []);
    }

    #[test]
    fn a_new_leader_goes_on_behind_what_the_page_has() {
        let mut client = Client::default();
        client.leader_announced(leader("a"));
        client.from_page(chat("1"));
        for token in [7, 8] {
            assert_eq!(
                client.from_leader(&leader("a"), chunk("1", token, None)),
                [Out::ToPage(chunk("1", token, None))]
            );
        }
        let out = client.leader_announced(leader("b"));
        assert_eq!(out.len(), 1);
        assert_eq!(standing(&out[0]), [7, 8]);
        // A late word of the dead leader is not told twice.
        assert_eq!(client.from_leader(&leader("a"), chunk("1", 9, None)), []);
        client.from_leader(&leader("b"), chunk("1", 9, None));
        assert_eq!(standing(&client.leader_announced(leader("c"))[0]), [7, 8, 9]);
    }

    #[test]
    fn what_stood_from_an_earlier_place_stays_in_front() {
        let mut client = Client::default();
        client.leader_announced(leader("a"));
        let ToWorker::Chat { id, mut request } = chat("1") else { unreachable!() };
        request.portico_continue =
            Some(Continuation { token_ids: vec![1, 2], ..Continuation::default() });
        client.from_page(ToWorker::Chat { id, request });
        client.from_leader(&leader("a"), chunk("1", 3, None));
        assert_eq!(standing(&client.leader_announced(leader("b"))[0]), [1, 2, 3]);
    }

    #[test]
    fn a_stopped_or_finished_answer_is_not_asked_again() {
        let mut client = Client::default();
        client.leader_announced(leader("a"));
        client.from_page(chat("stopping"));
        client.from_page(chat("finished"));
        client.from_page(ToWorker::Stop { id: "stopping".into() });
        client.from_leader(&leader("a"), chunk("finished", 1, Some(FinishReason::Stop)));
        assert_eq!(
            client.leader_announced(leader("b")),
            [Out::ToPage(done("stopping", true)), Out::ToPage(done("finished", false))]
        );
        assert_eq!(client.leader_announced(leader("c")), []);
    }

    #[test]
    fn a_request_ends_once() {
        let mut client = Client::default();
        client.leader_announced(leader("a"));
        client.from_page(chat("1"));
        assert_eq!(client.from_leader(&leader("a"), done("1", false)).len(), 1);
        assert_eq!(client.from_leader(&leader("a"), done("1", false)), []);
        assert_eq!(client.from_leader(&leader("a"), chunk("1", 1, None)), []);
        assert_eq!(client.from_page(ToWorker::Stop { id: "1".into() }), []);
    }

    #[test]
    fn stopping_before_anyone_leads_ends_at_once() {
        let mut client = Client::default();
        client.from_page(chat("1"));
        assert_eq!(
            client.from_page(ToWorker::Stop { id: "1".into() }),
            [Out::ToPage(done("1", true))]
        );
        assert_eq!(client.leader_announced(leader("a")), []);
    }

    #[test]
    fn a_loaded_model_is_loaded_again_by_the_next_leader() {
        let mut client = Client::default();
        client.leader_announced(leader("a"));
        let state = |model: &str, state| FromWorker::ModelState { model: model.into(), state };
        client.from_leader(&leader("a"), state("m", ModelState::Ready { gpu_bytes: 1, n_ctx: 1 }));
        client.from_leader(&leader("a"), state("n", ModelState::Cached));
        client.from_leader(
            &leader("a"),
            state("p", ModelState::Paused { done_bytes: 0, total_bytes: 1 }),
        );
        assert_eq!(
            client.leader_announced(leader("b")),
            [Out::ToLeader(ToWorker::Load { model: "m".into() })]
        );
    }

    mod simulation {
        //! Leaders die at any point; the page must see each answer's text once and whole.

        use proptest::prelude::*;

        use super::*;

        /// A leader that answers every chat with the tokens 0..n_tokens.
        struct Leader {
            id: LeaderId,
            /// Request id, next token.
            jobs: Vec<(String, u32)>,
        }

        #[derive(Clone, Debug)]
        enum Event {
            Ask,
            Step,
            LeaderDies { late_words: bool },
        }

        fn events() -> impl Strategy<Value = Vec<Event>> {
            let event = prop_oneof![
                2 => Just(Event::Ask),
                8 => Just(Event::Step),
                1 => any::<bool>().prop_map(|late_words| Event::LeaderDies { late_words }),
            ];
            prop::collection::vec(event, 0..80)
        }

        const N_TOKENS: u32 = 6;

        impl Leader {
            fn receive(&mut self, message: &ToWorker) {
                if let ToWorker::Chat { id, request } = message {
                    let next = request.portico_continue.as_ref().map_or(0, |c| c.token_ids.len());
                    self.jobs.push((id.clone(), next as u32));
                }
            }

            /// The next words of the first job.
            fn step(&mut self) -> Vec<FromWorker> {
                let Some((id, next)) = self.jobs.first_mut() else { return Vec::new() };
                let token = *next;
                *next += 1;
                if token == N_TOKENS {
                    let id = id.clone();
                    self.jobs.remove(0);
                    return vec![done(&id, false)];
                }
                let finish = (token + 1 == N_TOKENS).then_some(FinishReason::Stop);
                vec![chunk(id, token, finish)]
            }
        }

        proptest! {
            #[test]
            fn no_text_is_lost_or_repeated(events in events()) {
                let mut client = Client::default();
                let mut leader = Leader { id: LeaderId("0".into()), jobs: Vec::new() };
                let mut page: BTreeMap<String, (Vec<u32>, usize)> = BTreeMap::new();
                let mut n_leaders = 0;

                let deliver = |outs: Vec<Out>, leader: &mut Leader,
                               page: &mut BTreeMap<String, (Vec<u32>, usize)>| {
                    for out in outs {
                        match out {
                            Out::ToLeader(message) => leader.receive(&message),
                            Out::ToPage(FromWorker::ChatChunk { id, chunk }) => page
                                .entry(id)
                                .or_default()
                                .0
                                .extend(&chunk.choices[0].delta.token_ids),
                            Out::ToPage(FromWorker::Done { id, .. }) => {
                                page.entry(id).or_default().1 += 1;
                            }
                            Out::ToPage(_) => {}
                        }
                    }
                };

                let mut n_asked = 0;
                let outs = client.leader_announced(leader.id.clone());
                deliver(outs, &mut leader, &mut page);
                for event in events {
                    match event {
                        Event::Ask => {
                            let outs = client.from_page(chat(&n_asked.to_string()));
                            n_asked += 1;
                            deliver(outs, &mut leader, &mut page);
                        }
                        Event::Step => {
                            for word in leader.step() {
                                let outs = client.from_leader(&leader.id.clone(), word);
                                deliver(outs, &mut leader, &mut page);
                            }
                        }
                        Event::LeaderDies { late_words } => {
                            let late = if late_words { leader.step() } else { Vec::new() };
                            let dead = leader.id.clone();
                            n_leaders += 1;
                            leader = Leader { id: LeaderId(n_leaders.to_string()), jobs: Vec::new() };
                            let outs = client.leader_announced(leader.id.clone());
                            deliver(outs, &mut leader, &mut page);
                            for word in late {
                                let outs = client.from_leader(&dead, word);
                                deliver(outs, &mut leader, &mut page);
                            }
                        }
                    }
                }
                while !leader.jobs.is_empty() {
                    for word in leader.step() {
                        let outs = client.from_leader(&leader.id.clone(), word);
                        deliver(outs, &mut leader, &mut page);
                    }
                }
                prop_assert_eq!(page.len(), n_asked);
                for (tokens, n_done) in page.values() {
                    prop_assert_eq!(tokens, &(0..N_TOKENS).collect::<Vec<_>>());
                    prop_assert_eq!(*n_done, 1);
                }
            }
        }
    }
}
