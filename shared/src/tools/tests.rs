use proptest::prelude::*;

use super::*;

fn reading(style: ToolStyle) -> ToolReading {
    ToolReading { style, names: vec!["f".into(), "g".into()], marker: None }
}

fn read(style: ToolStyle, pieces: &[&str]) -> Piece {
    let mut reader = CallReader::new(&reading(style));
    let mut whole = Piece::default();
    let mut add = |piece: Piece| {
        whole.text.push_str(&piece.text);
        for call in piece.calls {
            whole.add_call(call);
        }
    };
    pieces.iter().for_each(|piece| add(reader.push(piece)));
    add(reader.finish());
    whole
}

#[track_caller]
fn check(style: ToolStyle, text: &str, words: &str, calls: &[(&str, &str)]) {
    let whole = read(style, &[text]);
    let read_calls: Vec<_> = whole
        .calls
        .iter()
        .map(|call| (call.name.as_deref().unwrap_or_default(), call.arguments.as_str()))
        .collect();
    assert_eq!((whole.text.as_str(), &read_calls[..]), (words, calls), "{text}");
    let indices: Vec<u32> = whole.calls.iter().map(|call| call.index).collect();
    assert_eq!(indices, (0..calls.len() as u32).collect::<Vec<_>>());
    let one_by_one: Vec<String> = text.chars().map(String::from).collect();
    let one_by_one: Vec<&str> = one_by_one.iter().map(String::as_str).collect();
    assert_eq!(read(style, &one_by_one), whole, "character by character: {text}");
}

#[test]
fn styles_are_known_by_their_templates() {
    for (source, style) in [
        ("{%- if tools %}<tools></tools>{{ '\\n<tool_call>\\n{\"name\": \"' }}", ToolStyle::Hermes),
        ("{{ '[AVAILABLE_TOOLS]' }}{{ '[TOOL_CALLS] [' }}", ToolStyle::Mistral),
        ("<|start_header_id|> {\"name\": function name, \"parameters\": …}", ToolStyle::Llama3),
        ("{{ '<|python_tag|>' }}", ToolStyle::Llama3),
        ("{{ '<function=' + name + '>' }}", ToolStyle::Functionary),
        ("<start_of_turn>{{ message.content }}", ToolStyle::Generic),
        ("<|im_start|>{{ message.content }}<|im_end|>", ToolStyle::Generic),
    ] {
        assert_eq!(ToolStyle::of_template(source), style, "{source}");
    }
}

#[test]
fn hermes() {
    let check = |text: &str, words: &str, calls: &[(&str, &str)]| {
        check(ToolStyle::Hermes, text, words, calls);
    };
    check("Just words. ", "Just words. ", &[]);
    check(
        "<tool_call>\n{\"name\": \"f\", \"arguments\": {\"a\": \"}\\\"\"}}\n</tool_call>",
        "",
        &[("f", "{\"a\": \"}\\\"\"}")],
    );
    check(
        "Wait.\n<tool_call>{\"arguments\": {\"n\": [1, {}]}, \"name\": \"f\"}</tool_call>\n<tool_call>\n{\"name\": \"g\"}\n</tool_call>\nDone <b>.",
        "Wait.Done <b>.",
        &[("f", "{\"n\": [1, {}]}"), ("g", "{}")],
    );
    check("<tool_call>{\"name\": \"x\", \"arguments\": null}</tool_call>", "", &[("x", "{}")]);
    check(
        "<tool_call>{\"name\": \"f\", \"arguments\": \"{\\\"a\\\":1}\"}</tool_call>",
        "",
        &[("f", "{\"a\":1}")],
    );
    // Cut within, and without its end.
    check("<tool_call>{\"name\": \"f\", \"arguments\": {\"a\": 1", "", &[("f", "{\"a\": 1")]);
    check("<tool_call>{\"name\": \"f\", \"arguments\": {}}</tool", "", &[("f", "{}")]);
    check("<tool_call>{\"na", "{\"na", &[]);
    check("a <tool_cal", "a <tool_cal", &[]);
    // No calls.
    check("<tool_call>nothing to call</tool_call>!", "nothing to call!", &[]);
    check("<tool_call>{}</tool_call>", "{}", &[]);
    check("a < b <tool", "a < b <tool", &[]);
    // As small models write them, without the marks: of what was offered, at the answer's beginning.
    let call = "{\"name\": \"f\", \"arguments\": {\"a\": 1}}";
    let one = [("f", "{\"a\": 1}")];
    check(call, "", &one);
    check(&format!("```json\n{call}\n```"), "", &one);
    check(&format!("<tools>\n{call}\n</tools>"), "", &one);
    check(&format!("{call}\n{call}\nDone."), "Done.", &[one[0], one[0]]);
    check(&format!("{call}\n<tool_call>{call}</tool_call>"), "", &[one[0], one[0]]);
    for words in [
        format!("Write {call}"),
        call.replace("\"f\"", "\"x\""),
        "{\"name\": \"f\", \"age\": 3}".to_owned(),
        "<tools>are useful".to_owned(),
        "\n  <b>".to_owned(),
    ] {
        check(&words, &words, &[]);
    }
}

#[test]
fn llama3() {
    let check = |text: &str, words: &str, calls: &[(&str, &str)]| {
        check(ToolStyle::Llama3, text, words, calls);
    };
    let call = "{\"name\": \"f\", \"parameters\": {\"a\": \"b\"}}";
    check(call, "", &[("f", "{\"a\": \"b\"}")]);
    check(&format!("<|python_tag|>{call}"), "", &[("f", "{\"a\": \"b\"}")]);
    check(&format!("\n{call}; {call}"), "", &[("f", "{\"a\": \"b\"}"), ("f", "{\"a\": \"b\"}")]);
    check(&format!("Sure: <|python_tag|>{call}"), "Sure:", &[("f", "{\"a\": \"b\"}")]);
    check("{\"type\": \"function\", \"name\": \"g\", \"parameters\": {}}", "", &[("g", "{}")]);
    // JSON that is an answer.
    check("{\"name\": \"Ada\", \"age\": 3}", "{\"name\": \"Ada\", \"age\": 3}", &[]);
    check("{\"a\": 1}", "{\"a\": 1}", &[]);
    check("[1, 2]", "[1, 2]", &[]);
    check("f {\"name\": \"f\"}", "f {\"name\": \"f\"}", &[]);
}

#[test]
fn mistral() {
    let check = |text: &str, words: &str, calls: &[(&str, &str)]| {
        check(ToolStyle::Mistral, text, words, calls);
    };
    check(
        "[TOOL_CALLS] [{\"name\": \"f\", \"arguments\": {\"a\": 1}}, {\"name\": \"g\", \"arguments\": {}}]",
        "",
        &[("f", "{\"a\": 1}"), ("g", "{}")],
    );
    check("Yes.[TOOL_CALLS]f[ARGS]{\"a\": [2]}", "Yes.", &[("f", "{\"a\": [2]}")]);
    check("[TOOL_CALLS]f[CALL_ID]abc[ARGS]{}[TOOL_CALLS]g{}", "", &[("f", "{}"), ("g", "{}")]);
    check("[TOOL", "[TOOL", &[]);
}

#[test]
fn functionary() {
    let check = |text: &str, words: &str, calls: &[(&str, &str)]| {
        check(ToolStyle::Functionary, text, words, calls);
    };
    check(
        "Ok <function=f>{\"a\": 1}</function>\n<function=g>{}</function>",
        "Ok",
        &[("f", "{\"a\": 1}"), ("g", "{}")],
    );
}

#[test]
fn generic() {
    let check = |text: &str, words: &str, calls: &[(&str, &str)]| {
        check(ToolStyle::Generic, text, words, calls);
    };
    let call = "{\"name\": \"f\", \"arguments\": {}}";
    check(call, "", &[("f", "{}")]);
    check(&format!("```json\n{call}\n```"), "", &[("f", "{}")]);
    check(&format!("[{call}, {call}]"), "", &[("f", "{}"), ("f", "{}")]);
    check("```python\nf()\n```", "```python\nf()\n```", &[]);
    check("```json\n{\"a\": 1}\n```", "```json\n{\"a\": 1}\n```", &[]);
    check("  words", "  words", &[]);
    check("", "", &[]);
}

fn styles() -> impl Strategy<Value = ToolStyle> {
    prop::sample::select(vec![
        ToolStyle::Hermes,
        ToolStyle::Llama3,
        ToolStyle::Mistral,
        ToolStyle::Functionary,
        ToolStyle::Generic,
    ])
}

/// Texts that calls are made of, whole and broken.
fn texts() -> impl Strategy<Value = String> {
    let part = prop::sample::select(vec![
        "<tool_call>",
        "</tool_call>",
        "<tool",
        "_call>",
        "<|python_tag|>",
        "[TOOL_CALLS]",
        "[ARGS]",
        "<function=",
        ">",
        "</function>",
        "```json",
        "```",
        "<tools>",
        "</tools>",
        "[",
        "]",
        ",",
        ";",
        "\n",
        " ",
        "{",
        "}",
        "{\"name\": \"f\", \"arguments\": {\"a\": \"ä\"}}",
        "{\"name\": \"x\", \"parameters\": {}}",
        "\"name\"",
        ":",
        "\"f\"",
        "\"",
        "\\",
        "f",
        "words",
        "ß",
        "{\"arguments\": [1], ",
        "null",
    ]);
    prop::collection::vec(part, 0..12).prop_map(|parts| parts.concat())
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(2_000))]

    /// However the text is cut, words and calls are the same.
    #[test]
    fn any_split_reads_the_same(style in styles(), text in texts(), cuts in prop::collection::vec(any::<prop::sample::Index>(), 0..8)) {
        let whole = read(style, &[&text]);
        let mut at: Vec<usize> = cuts.iter().map(|cut| cut.index(text.len() + 1)).filter(|at| text.is_char_boundary(*at)).collect();
        at.sort_unstable();
        let ends = at.iter().copied().chain([text.len()]);
        let starts = [0].into_iter().chain(at.iter().copied());
        let pieces: Vec<&str> = starts.zip(ends).map(|(start, end)| &text[start..end]).collect();
        prop_assert_eq!(read(style, &pieces), whole);
        let characters: Vec<String> = text.chars().map(String::from).collect();
        let characters: Vec<&str> = characters.iter().map(String::as_str).collect();
        prop_assert_eq!(read(style, &characters), read(style, &[&text]));
    }
}
