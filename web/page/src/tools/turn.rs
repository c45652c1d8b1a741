//! What is next in an answer that calls tools?

use std::collections::BTreeSet;

use portico_shared::error::Lang;
use portico_shared::grounding::estimated_tokens;
use portico_shared::openai::ToolCall;
use portico_shared::sync::{STEP_NAME_MAX_BYTES, STEP_TEXT_MAX_BYTES, StepState, ToolStep};
use serde_json::{Map, Value};

use super::cut::cut;
use super::offer::{Confirm, Offered};
use crate::i18n::Text;

/// Turns of the model that may call; the one behind them answers in words.
pub const ROUNDS_MAX: u32 = 6;
/// Calls of one turn that are run.
pub const CALLS_MAX: usize = 8;

/// The calls of one answer, as the log keeps them.
#[derive(Clone, Debug)]
pub struct Turn {
    steps: Vec<ToolStep>,
    /// Places of steps that the log does not have yet.
    changed: BTreeSet<usize>,
    /// Tokens of results that still fit the model.
    left_tokens: u32,
    lang: Lang,
}

/// What is to be done.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Next {
    /// The person is asked about this step.
    Ask(usize),
    /// This step is run.
    Run(usize),
    /// A step runs or is asked about.
    Wait,
    /// Every call has its result: the model goes on.
    Answer,
}

/// What became of a step that ran.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Outcome {
    Result(String),
    Failed(String),
    TimedOut,
}

impl Turn {
    /// Goes on behind what the log has. What ran when a tab was killed is not run again: nobody knows
    /// whether it was done.
    pub fn new(steps: Vec<ToolStep>, result_tokens: u32, lang: Lang) -> Self {
        let spent: u32 =
            steps.iter().filter_map(|step| step.result.as_deref()).map(estimated_tokens).sum();
        let left_tokens = result_tokens.saturating_sub(spent);
        let mut turn = Self { steps, changed: BTreeSet::new(), left_tokens, lang };
        for n in 0..turn.steps.len() {
            match turn.steps[n].state {
                StepState::Running => turn.close(n, StepState::Failed, Text::ToolInterrupted),
                StepState::Waiting => turn.set(n, StepState::Called),
                _ => {}
            }
        }
        turn
    }

    pub fn steps(&self) -> &[ToolStep] {
        &self.steps
    }

    /// Steps that the log is to have, with their places.
    pub fn take_changed(&mut self) -> Vec<(u32, ToolStep)> {
        let changed = std::mem::take(&mut self.changed);
        changed.into_iter().map(|n| (n as u32, self.steps[n].clone())).collect()
    }

    /// Whether the model may call once more.
    pub fn may_call(&self) -> bool {
        self.n_rounds() < ROUNDS_MAX && self.left_tokens > 0
    }

    /// Whether all steps are over.
    pub fn is_over(&self) -> bool {
        self.steps.iter().all(|step| step.state.is_over())
    }

    fn n_rounds(&self) -> u32 {
        self.steps.last().map_or(0, |step| step.round + 1)
    }

    /// Takes the calls of the model's turn, which said `at` bytes before.
    pub fn called(&mut self, at: usize, calls: Vec<ToolCall>, offered: &[Offered]) {
        let (round, is_late) = (self.n_rounds(), !self.may_call());
        for (i, call) in calls.into_iter().enumerate().take(CALLS_MAX + 1) {
            let name = clipped(call.function.name, STEP_NAME_MAX_BYTES);
            let is_known = self.steps.iter().any(|step| step.id == call.id);
            let has_id = !call.id.is_empty() && call.id.len() <= STEP_NAME_MAX_BYTES && !is_known;
            let id = if has_id { call.id } else { format!("call_{round}_{i}") };
            let arguments = match call.function.arguments.trim() {
                "" => "{}".to_owned(),
                arguments => arguments.to_owned(),
            };
            let is_object = serde_json::from_str::<Map<String, Value>>(&arguments).is_ok();
            let fault = match () {
                () if is_late || i == CALLS_MAX => Some(Text::ToolTooMany),
                () if find(offered, &name).is_none() => Some(Text::ToolUnknown),
                () if !is_object || arguments.len() > STEP_TEXT_MAX_BYTES => {
                    Some(Text::ToolBadArguments)
                }
                () => None,
            };
            let n = self.steps.len();
            let arguments = clipped(arguments, STEP_TEXT_MAX_BYTES);
            let (at, state) = (at as u32, StepState::Called);
            self.steps.push(ToolStep { id, round, at, name, arguments, state, result: None });
            self.changed.insert(n);
            if let Some(fault) = fault {
                self.close(n, StepState::Failed, fault);
            }
        }
    }

    /// What is next; steps come one after the other. `is_granted` says which tools the person allowed for
    /// the whole conversation.
    pub fn next(&mut self, offered: &[Offered], is_granted: impl Fn(&str) -> bool) -> Next {
        loop {
            let Some(n) = self.steps.iter().position(|step| !step.state.is_over()) else {
                return Next::Answer;
            };
            if self.steps[n].state != StepState::Called {
                return Next::Wait;
            }
            let Some(tool) = find(offered, &self.steps[n].name) else {
                // It was taken away meanwhile.
                self.close(n, StepState::Failed, Text::ToolUnknown);
                continue;
            };
            let asks = match tool.confirm {
                Confirm::Always => true,
                Confirm::First => !is_granted(&tool.id),
                Confirm::Never => false,
            };
            self.set(n, if asks { StepState::Waiting } else { StepState::Running });
            return if asks { Next::Ask(n) } else { Next::Run(n) };
        }
    }

    /// The person said yes; false where they were not asked about it.
    pub fn allow(&mut self, n: usize) -> bool {
        let waits = self.is(n, StepState::Waiting);
        if waits {
            self.set(n, StepState::Running);
        }
        waits
    }

    pub fn refuse(&mut self, n: usize) -> bool {
        let waits = self.is(n, StepState::Waiting);
        if waits {
            self.close(n, StepState::Refused, Text::ToolWasRefused);
        }
        waits
    }

    /// A step's end; one that is over already, such as by a stop, stays as it is.
    pub fn ended(&mut self, n: usize, outcome: Outcome) {
        if !self.is(n, StepState::Running) {
            return;
        }
        match outcome {
            Outcome::Result(text) => self.close_with(n, StepState::Done, &text),
            Outcome::Failed(text) => self.close_with(n, StepState::Failed, &text),
            Outcome::TimedOut => self.close(n, StepState::TimedOut, Text::ToolTookTooLong),
        }
    }

    /// Ends whatever is not over.
    pub fn stop(&mut self) {
        for n in 0..self.steps.len() {
            if !self.steps[n].state.is_over() {
                self.close(n, StepState::Stopped, Text::ToolWasStopped);
            }
        }
    }

    fn is(&self, n: usize, state: StepState) -> bool {
        self.steps.get(n).is_some_and(|step| step.state == state)
    }

    fn set(&mut self, n: usize, state: StepState) {
        self.steps[n].state = state;
        self.changed.insert(n);
    }

    fn close(&mut self, n: usize, state: StepState, why: Text) {
        let why = why.get(self.lang);
        self.close_with(n, state, why);
    }

    fn close_with(&mut self, n: usize, state: StepState, text: &str) {
        let text = cut(text, self.left_tokens, self.lang);
        self.left_tokens = self.left_tokens.saturating_sub(estimated_tokens(&text));
        self.steps[n].result = Some(text);
        self.set(n, state);
    }
}

fn find<'o>(offered: &'o [Offered], name: &str) -> Option<&'o Offered> {
    offered.iter().find(|offered| offered.tool.name() == name)
}

fn clipped(mut text: String, max_bytes: usize) -> String {
    text.truncate(text.floor_char_boundary(max_bytes));
    text
}

#[cfg(test)]
mod tests {
    use portico_shared::openai::{FunctionCall, ToolKind};

    use super::super::offer::{of_device, of_server};
    use super::*;

    const SERVER: &str = r#"{"tools":[
        {"id":"h.ask","name":"h__ask","confirm":"always"},
        {"id":"h.first","name":"h__first","confirm":"first"}]}"#;

    fn offered() -> Vec<Offered> {
        [of_device(), of_server(SERVER)].concat()
    }

    fn call(name: &str, arguments: &str) -> ToolCall {
        let function = FunctionCall { name: name.to_owned(), arguments: arguments.to_owned() };
        ToolCall { id: "c".to_owned(), kind: ToolKind::Function, function }
    }

    fn turn() -> Turn {
        Turn::new(Vec::new(), 1_000, Lang::En)
    }

    fn next(turn: &mut Turn) -> Next {
        turn.next(&offered(), |id| id == "h.granted")
    }

    fn states(turn: &Turn) -> Vec<&'static str> {
        turn.steps().iter().map(|step| step.state.name()).collect()
    }

    fn result(text: &str) -> Outcome {
        Outcome::Result(text.to_owned())
    }

    #[test]
    fn calls_run_one_after_the_other_and_the_model_goes_on_behind_them() {
        let mut turn = turn();
        turn.called(3, vec![call("calculator", "{}"), call("date", "")], &offered());
        assert_eq!(next(&mut turn), Next::Run(0));
        assert_eq!(next(&mut turn), Next::Wait);
        turn.ended(0, result("2"));
        assert_eq!(next(&mut turn), Next::Run(1));
        turn.ended(1, Outcome::Failed("no such date".to_owned()));
        assert_eq!(next(&mut turn), Next::Answer);
        assert_eq!(states(&turn), ["done", "failed"]);
        let [one, other] = turn.steps() else { panic!("two steps") };
        assert_ne!(one.id, other.id, "results are told apart");
        assert_eq!((one.at, other.arguments.as_str()), (3, "{}"));
        assert_eq!(turn.take_changed().len(), 2);
        assert!(turn.take_changed().is_empty());
    }

    #[test]
    fn a_tool_that_asks_runs_only_when_it_may_and_no_is_a_result() {
        let mut turn = turn();
        turn.called(0, vec![call("h__ask", "{}"), call("h__first", "{}")], &offered());
        assert_eq!(next(&mut turn), Next::Ask(0));
        turn.ended(0, result("not yet"));
        assert_eq!(states(&turn), ["waiting", "called"]);
        assert!(!turn.allow(1), "nobody was asked about it");
        assert!(turn.refuse(0) && !turn.refuse(0));
        assert_eq!(next(&mut turn), Next::Ask(1));
        assert!(turn.allow(1));
        turn.ended(1, Outcome::TimedOut);
        assert_eq!(next(&mut turn), Next::Answer);
        assert_eq!(states(&turn), ["refused", "timed_out"]);
        assert!(turn.steps().iter().all(|step| step.result.is_some()), "the model is told");
    }

    #[test]
    fn what_was_granted_for_the_conversation_asks_no_more_but_what_always_asks_does() {
        let mut turn = turn();
        turn.called(0, vec![call("h__first", "{}"), call("h__ask", "{}")], &offered());
        assert_eq!(turn.next(&offered(), |_| true), Next::Run(0));
        turn.ended(0, result("x"));
        assert_eq!(turn.next(&offered(), |_| true), Next::Ask(1));
    }

    #[test]
    fn calls_that_cannot_run_fail_by_their_fault_and_the_others_run() {
        let mut turn = turn();
        let calls = vec![
            call("rm", "{}"),
            call("calculator", "[1]"),
            call("calculator", "{"),
            call("date", "{}"),
        ];
        turn.called(0, calls, &offered());
        assert_eq!(next(&mut turn), Next::Run(3));
        assert_eq!(states(&turn), ["failed", "failed", "failed", "running"]);
        // A tool that was taken away while it waited for its turn.
        turn.ended(3, result("x"));
        turn.called(0, vec![call("h__ask", "{}")], &offered());
        assert_eq!(turn.next(&of_device(), |_| false), Next::Answer);
        assert_eq!(turn.steps()[4].state, StepState::Failed);
    }

    #[test]
    fn rounds_calls_and_tokens_of_results_are_bounded() {
        let mut turn = turn();
        for round in 0..ROUNDS_MAX {
            assert!(turn.may_call(), "{round}");
            turn.called(0, vec![call("date", "{}")], &offered());
            let Next::Run(n) = next(&mut turn) else { panic!("it runs") };
            turn.ended(n, result("x"));
        }
        assert!(!turn.may_call());
        turn.called(0, vec![call("date", "{}")], &offered());
        assert_eq!(next(&mut turn), Next::Answer, "it is told that it may not");

        let mut turn = self::turn();
        turn.called(0, (0..CALLS_MAX + 5).map(|_| call("date", "{}")).collect(), &offered());
        assert_eq!(states(&turn)[CALLS_MAX..], ["failed"]);
        assert_eq!(next(&mut turn), Next::Run(0));
        turn.ended(0, result(&"x".repeat(100_000)));
        let text = turn.steps()[0].result.clone().unwrap();
        assert!(text.len() < 3_200 && text.contains("left out"), "{}", text.len());
        assert!(!turn.may_call(), "no room for another result");
    }

    #[test]
    fn a_stop_ends_what_is_open_and_what_comes_later_changes_nothing() {
        let mut turn = turn();
        turn.called(0, vec![call("date", "{}"), call("h__ask", "{}")], &offered());
        next(&mut turn);
        turn.stop();
        turn.ended(0, result("late"));
        assert_eq!(states(&turn), ["stopped", "stopped"]);
        assert!(turn.is_over() && !turn.allow(1));
    }

    #[test]
    fn after_a_reload_it_asks_again_and_runs_nothing_twice() {
        let mut before = turn();
        before.called(0, vec![call("date", "{}"), call("h__ask", "{}")], &offered());
        next(&mut before);
        let mut turn = Turn::new(before.steps().to_vec(), 1_000, Lang::De);
        assert_eq!(states(&turn), ["failed", "called"]);
        assert_eq!(next(&mut turn), Next::Ask(1));
        let mut again = Turn::new(turn.steps().to_vec(), 1_000, Lang::De);
        assert_eq!(next(&mut again), Next::Ask(1));
    }
}
