//! How is the model shown what it called, and what came of it?

use portico_shared::openai::{ChatMessage, Content, FunctionCall, Role, ToolCall, ToolKind};
use portico_shared::sync::{REASONING, ToolStep};

/// Adds an answer that called tools to `messages`, turn by turn, and gives what it said behind the last
/// one: an answer that is written goes on there. What another program's model thought is not told again.
pub fn append<'t>(messages: &mut Vec<ChatMessage>, text: &'t str, steps: &[ToolStep]) -> &'t str {
    let mut from = 0;
    let calls: Vec<&ToolStep> = steps.iter().filter(|step| step.name != REASONING).collect();
    for round in calls.chunk_by(|one, next| one.round == next.round) {
        let at = round.first().map_or(from, |step| step.at as usize).clamp(from, text.len());
        let at = text.floor_char_boundary(at).max(from);
        let said = text[from..at].trim();
        from = at;
        messages.push(ChatMessage {
            content: (!said.is_empty()).then(|| Content::Text(said.to_owned())),
            tool_calls: Some(round.iter().map(|step| call(step)).collect()),
            ..ChatMessage::new(Role::Assistant, "")
        });
        messages.extend(round.iter().map(|step| ChatMessage {
            name: Some(step.name.clone()),
            tool_call_id: Some(step.id.clone()),
            ..ChatMessage::new(Role::Tool, step.result.as_deref().unwrap_or("-"))
        }));
    }
    &text[from..]
}

fn call(step: &ToolStep) -> ToolCall {
    // What is no JSON would break templates that show values.
    let is_object = serde_json::from_str::<serde_json::Map<_, _>>(&step.arguments).is_ok();
    ToolCall {
        id: step.id.clone(),
        kind: ToolKind::Function,
        function: FunctionCall {
            name: step.name.clone(),
            arguments: if is_object { step.arguments.clone() } else { "{}".to_owned() },
        },
    }
}

#[cfg(test)]
mod tests {
    use portico_shared::sync::StepState;

    use super::*;

    fn step(id: &str, round: u32, at: u32, arguments: &str) -> ToolStep {
        ToolStep {
            id: id.to_owned(),
            round,
            at,
            name: "f".to_owned(),
            arguments: arguments.to_owned(),
            state: StepState::Done,
            result: Some(format!("of {id}")),
        }
    }

    #[test]
    fn an_answer_becomes_turns_with_their_calls_and_what_is_left_goes_on() {
        let steps =
            [step("a", 0, 5, "{}"), step("b", 0, 5, "{\"x\":1}"), step("c", 1, 5, "{broken")];
        let mut messages = Vec::new();
        assert_eq!(append(&mut messages, "Hm.\n\nSo", &steps), "So");
        let said = serde_json::to_value(&messages).unwrap();
        let roles: Vec<_> = messages.iter().map(|message| message.role).collect();
        use Role::{Assistant, Tool};
        assert_eq!(roles, [Assistant, Tool, Tool, Assistant, Tool]);
        assert_eq!((&said[0]["content"], &said[3]["content"]), (&"Hm.".into(), &().into()));
        assert_eq!(said[0]["tool_calls"][1]["function"]["arguments"], "{\"x\":1}");
        assert_eq!((&said[2]["tool_call_id"], &said[2]["content"]), (&"b".into(), &"of b".into()));
        assert_eq!(said[3]["tool_calls"][0]["function"]["arguments"], "{}");
    }

    #[test]
    fn what_another_programs_model_thought_is_not_told_again() {
        let thought = ToolStep { name: REASONING.to_owned(), ..step("a", 0, 3, "") };
        let mut messages = Vec::new();
        assert_eq!(append(&mut messages, "Yes", std::slice::from_ref(&thought)), "Yes");
        assert!(messages.is_empty());
        append(&mut messages, "Yes", &[thought, step("b", 1, 3, "{}")]);
        assert_eq!(messages.len(), 2);
    }

    #[test]
    fn places_that_are_none_lose_no_word() {
        for at in [0, 1, 2, 9, u32::MAX] {
            let mut messages = Vec::new();
            let rest =
                append(&mut messages, "äb", &[step("a", 0, at, "{}"), step("b", 1, 0, "{}")]);
            let text = |message: &ChatMessage| message.content.as_ref().map(Content::text);
            let said: String =
                messages.iter().filter(|m| m.role == Role::Assistant).filter_map(text).collect();
            assert_eq!(said + rest, "äb");
        }
    }
}
