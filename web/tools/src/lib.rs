//! What do the tools of the device give? Pure: what day it is and when it has taken too long come in.

mod calculate;
mod date;

use serde_json::{Map, Value};

pub use calculate::Deadline;

/// Longest argument, in bytes.
const TEXT_MAX_BYTES: usize = 2_000;

/// The present, where the person is.
#[derive(Clone, Debug)]
pub struct Now {
    /// `2026-11-26`
    pub date: String,
    /// `09:30`
    pub time: String,
    /// `Europe/Berlin`
    pub zone: String,
}

/// A tool's result.
///
/// # Errors
/// Why there is none, for the model and the person to read.
pub fn call(name: &str, arguments: &str, now: &Now, deadline: &Deadline) -> Result<String, String> {
    let arguments: Map<String, Value> = serde_json::from_str(arguments)
        .map_err(|error| format!("the arguments are no JSON object: {error}"))?;
    match name {
        "calculator" => calculate::expression(&required(&arguments, "expression")?, deadline),
        "convert_units" => {
            let value = required(&arguments, "value")?;
            let (from, to) = (required(&arguments, "from")?, required(&arguments, "to")?);
            calculate::converted(&value, &from, &to, deadline)
        }
        "date" => {
            let get = |name| text(&arguments, name);
            date::answer(get("date")?, get("add")?, get("until")?, now)
        }
        _ => Err(format!("there is no tool `{name}`")),
    }
}

/// A string or a number; what is null or empty is not there.
fn text(arguments: &Map<String, Value>, name: &str) -> Result<Option<String>, String> {
    let text = match arguments.get(name) {
        None | Some(Value::Null) => return Ok(None),
        Some(Value::String(text)) => text.trim().to_owned(),
        Some(Value::Number(number)) => number.to_string(),
        Some(_) => return Err(format!("`{name}` must be a string")),
    };
    if text.len() > TEXT_MAX_BYTES {
        return Err(format!("`{name}` is longer than {TEXT_MAX_BYTES} bytes"));
    }
    Ok(Some(text).filter(|text| !text.is_empty()))
}

fn required(arguments: &Map<String, Value>, name: &str) -> Result<String, String> {
    text(arguments, name)?.ok_or_else(|| format!("`{name}` is missing"))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn now() -> Now {
        let [date, time, zone] = ["2026-11-26", "09:30", "Europe/Berlin"].map(str::to_owned);
        Now { date, time, zone }
    }

    fn said(name: &str, arguments: Value) -> Result<String, String> {
        call(name, &arguments.to_string(), &now(), &Deadline::never())
    }

    #[test]
    fn sums_are_exact() {
        #[track_caller]
        fn check(expression: &str, expected: &str) {
            let result = said("calculator", serde_json::json!({ "expression": expression }));
            assert_eq!(result.as_deref(), Ok(expected), "{expression}");
        }
        check("0.1 + 0.2", "0.3");
        check("19% of 250", "47.5");
        check("2 * (3 + 4)^2", "98");
        check("3^40", "12157665459056928801");
        check("100 / 8", "12.5");
        check("12 × 12 − 4 ÷ 2", "142");
        check("sqrt(2)", "approx. 1.4142135624");
    }

    #[test]
    fn what_cannot_be_calculated_says_why_and_nothing_is_run() {
        #[track_caller]
        fn check(arguments: Value, why: &str) {
            let error = said("calculator", arguments).unwrap_err();
            assert!(error.contains(why), "{error}");
        }
        check(serde_json::json!({ "expression": "1 / 0" }), "division by zero");
        check(serde_json::json!({ "expression": "fetch('/')" }), "");
        check(serde_json::json!({ "expression": " " }), "`expression` is missing");
        check(serde_json::json!({ "expression": ["1"] }), "must be a string");
        check(serde_json::json!({ "expression": "1+".repeat(2_000) }), "longer than");
        assert!(call("calculator", "nonsense", &now(), &Deadline::never()).is_err());
        assert!(said("rm", serde_json::json!({})).is_err());
    }

    #[test]
    fn a_sum_that_takes_too_long_is_given_up() {
        let deadline = Deadline::new(|| 2.0, 1.0);
        let arguments = r#"{"expression":"9^9^9^9"}"#;
        let error = call("calculator", arguments, &now(), &deadline).unwrap_err();
        assert!(error.contains("too long"), "{error}");
    }

    #[test]
    fn units_are_converted() {
        #[track_caller]
        fn check(value: Value, from: &str, to: &str, expected: &str) {
            let arguments = serde_json::json!({ "value": value, "from": from, "to": to });
            assert_eq!(said("convert_units", arguments).as_deref(), Ok(expected), "{from} {to}");
        }
        check(5.into(), "miles", "km", "8.04672 km");
        check("2.5".into(), "hours", "minutes", "150 minutes");
        check(100.into(), "°C", "°F", "212 °F");
        let arguments = serde_json::json!({ "value": 1, "from": "kg", "to": "m" });
        assert!(said("convert_units", arguments).is_err());
    }

    #[test]
    fn dates_are_those_of_where_the_person_is() {
        #[track_caller]
        fn check(arguments: Value, expected: &str) {
            let result = said("date", arguments.clone());
            assert_eq!(result.as_deref(), Ok(expected), "{arguments}");
        }
        let json = |text: &str| serde_json::from_str::<Value>(text).unwrap();
        check(json("{}"), "2026-11-26, Thursday, week 48; now 09:30 in Europe/Berlin");
        check(json(r#"{"date":"2024-02-29"}"#), "2024-02-29, Thursday, week 9");
        check(json(r#"{"date":"24.12.2026"}"#), "2026-12-24, Thursday, week 52");
        check(json(r#"{"add":"3 weeks"}"#), "2026-12-17, Thursday, week 51");
        check(json(r#"{"date":"2024-01-31","add":"1 month"}"#), "2024-02-29, Thursday, week 9");
        check(
            json(r#"{"until":"2026-12-24"}"#),
            "28 days from 2026-11-26 until 2026-12-24 (Thursday)",
        );
        check(
            json(r#"{"date":"2026-01-02","until":"2026-01-01"}"#),
            "-1 days from 2026-01-02 until 2026-01-01 (Thursday)",
        );
        for wrong in [r#"{"date":"2026-02-30"}"#, r#"{"add":"soon"}"#, r#"{"add":"999999 years"}"#]
        {
            assert!(said("date", json(wrong)).is_err(), "{wrong}");
        }
    }
}
