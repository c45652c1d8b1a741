//! Which tools are there, where do they run, and which of them ask first?

use portico_shared::openai::Tool;
use serde_json::Value;

/// Where a tool runs.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Where {
    /// In a worker of this page: nothing leaves the device.
    Device,
    /// On the server, with the person's rights.
    Server,
}

/// Whether the person is asked before a call.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Confirm {
    Always,
    /// Until they said yes for a conversation.
    First,
    Never,
}

/// A tool that a conversation may use.
#[derive(Clone, Debug, PartialEq)]
pub struct Offered {
    /// As the person and the server know it, such as `house.lookup`.
    pub id: String,
    pub runs: Where,
    pub confirm: Confirm,
    /// As the model is shown it; its name is the one that calls have.
    pub tool: Tool,
}

/// Tools of this device, for the model in the fewest words: small ones repeat descriptions.
const OF_DEVICE: &str = r#"[
{"name":"calculator","description":"Calculates exactly, such as 19% of 250, sqrt(2) or 3^40.","parameters":{"type":"object","properties":{"expression":{"type":"string"}},"required":["expression"]}},
{"name":"date","description":"Today's date, a date's weekday, a date some time later (add: 3 weeks), or the days until another date. Dates are YYYY-MM-DD; without a date it is today.","parameters":{"type":"object","properties":{"date":{"type":"string"},"add":{"type":"string"},"until":{"type":"string"}}}},
{"name":"convert_units","description":"Converts units, such as 5 miles to km.","parameters":{"type":"object","properties":{"value":{"type":"number"},"from":{"type":"string"},"to":{"type":"string"}},"required":["value","from","to"]}}
]"#;

pub fn of_device() -> Vec<Offered> {
    let functions: Vec<Value> = serde_json::from_str(OF_DEVICE).unwrap_or_default();
    functions.into_iter().filter_map(|function| offered(&function, Where::Device)).collect()
}

/// What `GET /api/tools` says; what cannot be read is left out.
pub fn of_server(json: &str) -> Vec<Offered> {
    let said: Value = serde_json::from_str(json).unwrap_or_default();
    let tools = said["tools"].as_array().map(Vec::as_slice).unwrap_or_default();
    tools.iter().filter_map(|tool| offered(tool, Where::Server)).collect()
}

fn offered(said: &Value, runs: Where) -> Option<Offered> {
    let text = |field: &str| said.get(field).and_then(Value::as_str);
    let name = text("name")?;
    let mut function = serde_json::Map::new();
    for field in ["name", "description", "parameters"] {
        function.insert(field.to_owned(), said.get(field).cloned().unwrap_or_default());
    }
    let mut value = serde_json::Map::new();
    value.insert("type".to_owned(), "function".into());
    value.insert("function".to_owned(), function.into());
    let confirm = match (runs, text("confirm")) {
        (Where::Device, _) | (_, Some("never")) => Confirm::Never,
        (_, Some("first")) => Confirm::First,
        _ => Confirm::Always,
    };
    let id = text("id").unwrap_or(name).to_owned();
    Some(Offered { id, runs, confirm, tool: Tool::new(value.into()).ok()? })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tools_of_the_device_never_ask_and_those_of_a_server_do_unless_it_says_otherwise() {
        let own = of_device();
        let names: Vec<_> = own.iter().map(|one| one.tool.name()).collect();
        assert_eq!(names, ["calculator", "date", "convert_units"]);
        assert!(
            own.iter().all(|one| one.confirm == Confirm::Never && one.tool.parameters().is_some())
        );
        let json = r#"{"tools":[{"id":"house.look","name":"house__look","confirm":"first","parameters":{}},
            {"id":"b","name":"b","confirm":"someday"},{"name":"c","confirm":"never"},{"id":"no name"}]}"#;
        let tools = of_server(json);
        let said: Vec<_> = tools.iter().map(|one| (one.id.as_str(), one.confirm)).collect();
        let expected =
            [("house.look", Confirm::First), ("b", Confirm::Always), ("c", Confirm::Never)];
        assert_eq!(said, expected);
        assert_eq!(tools[0].tool.name(), "house__look");
        assert_eq!(of_server("<html>"), []);
    }
}
