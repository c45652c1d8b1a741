//! Which day is it, or will it be, and how long is it until then?

use jiff::civil::{Date, Weekday};
use jiff::{Span, Unit};

use super::Now;

pub fn answer(
    date: Option<String>,
    add: Option<String>,
    until: Option<String>,
    now: &Now,
) -> Result<String, String> {
    let is_today = date.is_none() && add.is_none();
    let mut day = parsed(date.as_deref().unwrap_or("today"), now)?;
    if let Some(add) = add {
        let span: Span =
            add.parse().map_err(|_| format!("`add` is no time span such as 3 weeks: {add}"))?;
        day = day.checked_add(span).map_err(|error| error.to_string())?;
    }
    if let Some(until) = until {
        let until = parsed(&until, now)?;
        let days = day.until((Unit::Day, until)).map_err(|error| error.to_string())?.get_days();
        return Ok(format!("{days} days from {day} until {until} ({})", name(until.weekday())));
    }
    let week = day.iso_week_date().week();
    let said = format!("{day}, {}, week {week}", name(day.weekday()));
    Ok(match is_today {
        true => format!("{said}; now {} in {}", now.time, now.zone),
        false => said,
    })
}

/// `2026-12-24`, `24.12.2026` or `today`.
fn parsed(text: &str, now: &Now) -> Result<Date, String> {
    let wrong = || format!("no date such as 2026-12-24: {text}");
    if matches!(text.to_lowercase().as_str(), "today" | "now" | "heute" | "jetzt") {
        return now.date.parse().map_err(|_| wrong());
    }
    let mut parts = text.split('.').map(|part| part.trim().parse::<i16>().ok());
    if let (Some(Some(day)), Some(Some(month)), Some(Some(year)), None) =
        (parts.next(), parts.next(), parts.next(), parts.next())
    {
        let small = |number: i16| i8::try_from(number).map_err(|_| wrong());
        return Date::new(year, small(month)?, small(day)?).map_err(|_| wrong());
    }
    text.parse().map_err(|_| wrong())
}

fn name(weekday: Weekday) -> &'static str {
    match weekday {
        Weekday::Monday => "Monday",
        Weekday::Tuesday => "Tuesday",
        Weekday::Wednesday => "Wednesday",
        Weekday::Thursday => "Thursday",
        Weekday::Friday => "Friday",
        Weekday::Saturday => "Saturday",
        Weekday::Sunday => "Sunday",
    }
}
