//! Templates in the style of the families that are read, and hostile ones.

use serde_json::json;

use super::*;
use crate::gguf::StringArray;
use crate::openai::{Content, ContentPart, Role};

fn template(source: &str) -> ChatTemplate {
    ChatTemplate::new(source, None, "<bos>".into(), "<eos>".into()).unwrap()
}

fn render(source: &str, messages: &[ChatMessage]) -> Result<String, TemplateError> {
    template(source).render(messages, &[], &RenderOptions::answer(0))
}

fn tools(json: serde_json::Value) -> Vec<Tool> {
    serde_json::from_value(json).unwrap()
}

fn user(text: &str) -> Vec<ChatMessage> {
    vec![ChatMessage::new(Role::User, text)]
}

fn conversation() -> Vec<ChatMessage> {
    vec![
        ChatMessage::new(Role::System, "Be brief."),
        ChatMessage::new(Role::User, " Hallo! "),
        ChatMessage::new(Role::Assistant, "Hi."),
        ChatMessage::new(Role::User, "<b>&</b>"),
    ]
}

#[test]
fn llama3_style() {
    let source = "{{- bos_token }}
{%- if not date_string is defined %}
    {%- set date_string = strftime_now(\"%d %b %Y\") %}
{%- endif %}
{%- if messages[0]['role'] == 'system' %}
    {%- set system_message = messages[0]['content']|trim %}
    {%- set messages = messages[1:] %}
{%- else %}
    {%- set system_message = \"\" %}
{%- endif %}
{{- \"<|start_header_id|>system<|end_header_id|>\\n\\nToday Date: \" + date_string + \"\\n\\n\" }}
{{- system_message }}
{{- \"<|eot_id|>\" }}
{%- for message in messages %}
    {%- if not (message.role == 'ipython' or message.role == 'tool' or 'tool_calls' in message) %}
        {{- '<|start_header_id|>' + message['role'] + '<|end_header_id|>\\n\\n'+ message['content'] | trim + '<|eot_id|>' }}
    {%- endif %}
{%- endfor %}
{%- if add_generation_prompt %}
    {{- '<|start_header_id|>assistant<|end_header_id|>\\n\\n' }}
{%- endif %}
";
    let options = RenderOptions::answer(1_721_952_000);
    assert_eq!(
        template(source).render(&conversation(), &[], &options).as_deref(),
        Ok(
            "<bos><|start_header_id|>system<|end_header_id|>\n\nToday Date: 26 Jul 2024\n\nBe brief.\
            <|eot_id|><|start_header_id|>user<|end_header_id|>\n\nHallo!<|eot_id|>\
            <|start_header_id|>assistant<|end_header_id|>\n\nHi.<|eot_id|>\
            <|start_header_id|>user<|end_header_id|>\n\n<b>&</b><|eot_id|>\
            <|start_header_id|>assistant<|end_header_id|>\n\n"
        )
    );
}

#[test]
fn gemma_style() {
    let source = "{{ bos_token }}{% if messages[0]['role'] == 'system' %}{{ raise_exception('System role not supported') }}{% endif %}{% for message in messages %}{% if (message['role'] == 'user') != (loop.index0 % 2 == 0) %}{{ raise_exception('Conversation roles must alternate user/assistant/user/assistant/...') }}{% endif %}{% if (message['role'] == 'assistant') %}{% set role = 'model' %}{% else %}{% set role = message['role'] %}{% endif %}{{ '<start_of_turn>' + role + '\n' + message['content'] | trim + '<end_of_turn>\n' }}{% endfor %}{% if add_generation_prompt %}{{'<start_of_turn>model\n'}}{% endif %}";
    assert_eq!(
        render(source, &conversation()[1..]).as_deref(),
        Ok(
            "<bos><start_of_turn>user\nHallo!<end_of_turn>\n<start_of_turn>model\nHi.<end_of_turn>\n\
            <start_of_turn>user\n<b>&</b><end_of_turn>\n<start_of_turn>model\n"
        )
    );
    assert_eq!(
        render(source, &conversation()),
        Err(TemplateError::Refused("System role not supported".into()))
    );
    let twice = [user("a"), user("b")].concat();
    assert!(matches!(render(source, &twice), Err(TemplateError::Refused(_))));
}

/// Tools and calls as Qwen 2.5 writes them.
#[test]
fn qwen_style_with_tools() {
    let source = r##"{%- if tools %}
    {{- '<|im_start|>system\n' }}
    {{- "# Tools\n<tools>" }}
    {%- for tool in tools %}
        {{- "\n" }}
        {{- tool | tojson }}
    {%- endfor %}
    {{- "\n</tools><|im_end|>\n" }}
{%- endif %}
{%- for message in messages %}
    {%- if (message.role == "user") or (message.role == "assistant" and not message.tool_calls) %}
        {{- '<|im_start|>' + message.role + '\n' + message.content + '<|im_end|>' + '\n' }}
    {%- elif message.role == "assistant" %}
        {{- '<|im_start|>' + message.role }}
        {%- if message.content %}
            {{- '\n' + message.content }}
        {%- endif %}
        {%- for tool_call in message.tool_calls %}
            {%- if tool_call.function is defined %}
                {%- set tool_call = tool_call.function %}
            {%- endif %}
            {{- '\n<tool_call>\n{"name": "' }}
            {{- tool_call.name }}
            {{- '", "arguments": ' }}
            {{- tool_call.arguments | tojson }}
            {{- '}\n</tool_call>' }}
        {%- endfor %}
        {{- '<|im_end|>\n' }}
    {%- elif message.role == "tool" %}
        {%- if (loop.index0 == 0) or (messages[loop.index0 - 1].role != "tool") %}
            {{- '<|im_start|>user' }}
        {%- endif %}
        {{- '\n<tool_response>\n' }}
        {{- message.content }}
        {{- '\n</tool_response>' }}
        {%- if loop.last or (messages[loop.index0 + 1].role != "tool") %}
            {{- '<|im_end|>\n' }}
        {%- endif %}
    {%- endif %}
{%- endfor %}
{%- if add_generation_prompt %}
    {{- '<|im_start|>assistant\n' }}
{%- endif %}
"##;
    // Models are trained on tools whose keys stand in their author's order, no alphabetical one.
    let tools = tools(json!([{
        "type": "function",
        "function": { "name": "weather", "description": "<Wetter> & mehr", "parameters": { "n": 1.5 } },
    }]));
    let call = json!([{
        "function": { "arguments": "{\"days\": [1, 2], \"city\": \"Köln\"}", "name": "weather" },
        "id": "call_1",
        "type": "function",
    }]);
    let messages = [
        ChatMessage::new(Role::User, "Wetter?"),
        ChatMessage {
            content: None,
            tool_calls: serde_json::from_value(call).unwrap(),
            ..ChatMessage::new(Role::Assistant, "")
        },
        ChatMessage::new(Role::Tool, "sonnig"),
        ChatMessage::new(Role::Tool, "kalt"),
    ];
    let prompt = template(source).render(&messages, &tools, &RenderOptions::answer(0));
    let expect = r##"<|im_start|>system
# Tools
<tools>
{"type": "function", "function": {"name": "weather", "description": "<Wetter> & mehr", "parameters": {"n": 1.5}}}
</tools><|im_end|>
<|im_start|>user
Wetter?<|im_end|>
<|im_start|>assistant
<tool_call>
{"name": "weather", "arguments": {"days": [1, 2], "city": "Köln"}}
</tool_call><|im_end|>
<|im_start|>user
<tool_response>
sonnig
</tool_response>
<tool_response>
kalt
</tool_response><|im_end|>
<|im_start|>assistant
"##;
    assert_eq!(prompt.as_deref(), Ok(expect));
    let without = template(source).render(&messages[..1], &[], &RenderOptions::answer(0));
    assert_eq!(
        without.as_deref(),
        Ok("<|im_start|>user\nWetter?<|im_end|>\n<|im_start|>assistant\n"),
        "no tools are none"
    );
}

#[test]
fn another_template_where_tools_are_offered() {
    let template = ChatTemplate::new(
        "plain",
        Some("{{ tools | length }} tools"),
        String::new(),
        String::new(),
    )
    .unwrap();
    let options = RenderOptions::answer(0);
    assert_eq!(template.render(&user("a"), &[], &options).as_deref(), Ok("plain"));
    let tool = json!({ "type": "function", "function": { "name": "f" } });
    let tools = tools(json!([tool, tool]));
    assert_eq!(template.render(&user("a"), &tools, &options).as_deref(), Ok("2 tools"));
}

#[test]
fn messages_are_what_hugging_face_hands_over() {
    let source = "{% for m in messages %}{{ m.role }}={{ m.content }};{% endfor %}";
    let parts = Content::Parts(vec![
        ContentPart::Text { text: "one".into() },
        ContentPart::Text { text: "two".into() },
    ]);
    let messages = [
        ChatMessage::new(Role::Developer, "rules"),
        ChatMessage { content: Some(parts), ..ChatMessage::new(Role::User, "") },
        ChatMessage { content: None, ..ChatMessage::new(Role::Assistant, "") },
    ];
    assert_eq!(render(source, &messages).as_deref(), Ok("system=rules;user=one\ntwo;assistant=;"));
}

#[test]
fn python_is_spoken() {
    let check = |source: &str, expect: &str| {
        assert_eq!(render(source, &user("a</think>\n b ")).as_deref(), Ok(expect), "{source}");
    };
    check("{{ messages[0].content.split('</think>')[-1].strip() }}", "b");
    check("{{ messages[-1]['content'].startswith('a') }}", "True");
    check("{{ none }} {{ [1, 'x', true] }}", "None [1, 'x', True]");
    check("{{ {'k': none, 'u': 'ü<'} | tojson }}", r#"{"k": null, "u": "ü<"}"#);
    check(
        "{{ {'a': [1, 2], 'b': {}} | tojson(indent=2) }}",
        "{\n  \"a\": [\n    1,\n    2\n  ],\n  \"b\": {}\n}",
    );
    check(
        "{{ {'b': 1, 'a': 'ü\n'} | tojson(sort_keys=true, ensure_ascii=true) }}",
        r#"{"a": "\u00fc\n", "b": 1}"#,
    );
    check("{{ [1, {'a': 2}] | tojson(separators=(',', ':')) }}", r#"[1,{"a":2}]"#);
    check("{% for k, v in {'x': 1}.items() %}{{ k }}{{ v }}{% endfor %}", "x1");
    check("{% for i in range(9) %}{% if i == 3 %}{% break %}{% endif %}{{ i }}{% endfor %}", "012");
    check(
        "{% set ns = namespace(n=1) %}{% for i in [2, 3] %}{% set ns.n = ns.n * i %}{% endfor %}{{ ns.n }}",
        "6",
    );
    check("{% macro f(x) %}<{{ x }}>{% endmacro %}{{ f('y') }}", "<y>");
    check("{{ missing is defined }}{{ missing }}", "False");
    // Blocks swallow their line.
    check("  {% if true %}\n  x\n  {% endif %}\ny\n", "  x\ny");
    check("a{% generation %}\nb{%- endgeneration -%}  c", "abc");
    check("a {%- generation -%} b {% endgeneration %}{{ 'generation' }}", "ab generation");
}

#[test]
fn variables_of_the_request_are_seen() {
    let mut options = RenderOptions::answer(0);
    options.variables.insert("enable_thinking".into(), json!(false));
    options.variables.insert("messages".into(), json!("not mine to set"));
    let source = "{{ enable_thinking }} {{ messages | length }}";
    let prompt = template(source).render(&user("a"), &[], &options);
    assert_eq!(prompt.as_deref(), Ok("False 1"));
}

#[test]
fn hostile_templates_are_stopped() {
    let refused = |source: &str| {
        let template = ChatTemplate::new(source, None, String::new(), String::new())?;
        template.render(&user("hello"), &[], &RenderOptions::answer(0))
    };
    for source in [
        "{% for i in range(90000) %}{% for j in range(90000) %}{% endfor %}{% endfor %}",
        "{% set ns = namespace(x='xxxxxxxx') %}{% for i in range(60) %}{% set ns.x = ns.x ~ ns.x %}{% endfor %}{{ ns.x }}",
        "{% for i in range(90000) %}{{ messages[0].content * 1000 }}{% endfor %}",
    ] {
        assert_eq!(refused(source), Err(TemplateError::OutOfFuel), "{source}");
    }
    for source in [
        "{% macro f() %}{{ f() }}{% endmacro %}{{ f() }}",
        "{% set ns = namespace(x=[]) %}{% for i in range(900) %}{% set ns.x = [ns.x] %}{% endfor %}{{ ns.x | tojson }}",
        "{% include 'other' %}",
        "{{ messages | nosuchfilter }}",
        "{{ nosuchfunction() }}",
        "{{ undefined_thing.attribute }}",
        "{{ strftime_now('%Q') }}",
    ] {
        assert!(
            matches!(refused(source), Err(TemplateError::Render(_) | TemplateError::Syntax(_))),
            "{source}: {:?}",
            refused(source)
        );
    }
    assert!(refused("{{ 'x' * 100000000 }}").is_err());
    assert!(matches!(refused("{% if %}"), Err(TemplateError::Syntax(_))));
    assert!(matches!(
        refused(&"{{ 1 }}".repeat(TEMPLATE_BYTES_MAX)),
        Err(TemplateError::TooLong { .. })
    ));
    assert!(refused(&"(".repeat(100_000)).is_ok(), "text, not syntax");
    assert!(refused(&format!("{{{{ {} }}}}", "(".repeat(100_000))).is_err());
}

#[test]
fn a_long_conversation_is_not_refused() {
    let messages: Vec<ChatMessage> = (0..1000)
        .map(|i| ChatMessage::new([Role::User, Role::Assistant][i % 2], "word ".repeat(500)))
        .collect();
    let prompt = render(CHATML, &messages).unwrap();
    assert!(prompt.len() > 2_500_000);
}

#[test]
fn a_file_without_template_gets_chatml_or_is_refused() {
    let vocabulary = |tokens: &[&str]| -> Metadata {
        [("tokenizer.ggml.tokens", tokens.iter().collect::<StringArray>())].into_iter().collect()
    };
    let mut metadata = vocabulary(&["<|im_start|>", "<|im_end|>", "a"]);
    let template = ChatTemplate::from_gguf(&metadata).unwrap();
    assert!(template.is_default());
    let prompt = template.render(&user("Hi"), &[], &RenderOptions::answer(0));
    assert_eq!(prompt.as_deref(), Ok("<|im_start|>user\nHi<|im_end|>\n<|im_start|>assistant\n"));
    assert_eq!(
        ChatTemplate::from_gguf(&vocabulary(&["<start_of_turn>", "<|im_end|>"])).err(),
        Some(TemplateError::Missing)
    );
    metadata.insert("tokenizer.chat_template", "{{ bos_token }}{{ eos_token }}");
    metadata.insert("tokenizer.ggml.bos_token_id", 0u32);
    metadata.insert("tokenizer.ggml.eos_token_id", 2u32);
    let template = ChatTemplate::from_gguf(&metadata).unwrap();
    assert!(!template.is_default());
    let prompt = template.render(&[], &[], &RenderOptions::answer(0));
    assert_eq!(prompt.as_deref(), Ok("<|im_start|>a"));
}
