//! A plot of bars: a picture for the eye, with a sentence and a table that say the same to everybody.

use leptos::prelude::*;
use portico_page::format;
use portico_people::plot::{labelled, middle, stacked, ticks};
use portico_shared::error::Lang;

/// Pixels of the bars' field, and where it begins.
const FIELD_HEIGHT: f64 = 168.0;
const FIELD_TOP: f64 = 16.0;
/// Names below bars, so that they fit on a phone.
const NAMES_MAX: usize = 5;

/// A series, by which its bars are known in the style sheet, and its name.
pub type Series = (usize, &'static str);

/// What is to be seen, in one language.
pub struct Plot {
    /// Of its elements.
    pub id: &'static str,
    pub title: &'static str,
    /// The sentence.
    pub desc: String,
    /// What a bar is of, over the table's first column.
    pub of: &'static str,
    /// Of the last column.
    pub total: &'static str,
    /// What opens the table.
    pub table: &'static str,
    pub series: Vec<Series>,
    /// By name, with a number for each series.
    pub bars: Vec<(String, Vec<u64>)>,
    pub lang: Lang,
}

pub fn plot(plot: Plot) -> impl IntoView {
    let Plot { id, title, desc, of, total, table, series, bars, lang } = plot;
    let (title_id, desc_id) = (format!("{id}-title"), format!("{id}-desc"));
    let names = format!("{title_id} {desc_id}");
    let legend = series.iter().map(|&(key, name)| {
        view! { <li><i class=format!("plot-key s{key}") aria-hidden="true"></i>{name}</li> }
    });
    let legend = legend.collect_view();
    let picture = picture(&series, &bars, lang);
    let height = FIELD_TOP + FIELD_HEIGHT + 22.0;
    view! {
        <figure class="plot" data-plot=id>
            <figcaption class="plot-title">{title}</figcaption>
            <ul class="plot-legend">{legend}</ul>
            <svg class="plot-bars" role="img" aria-labelledby=names height=height.to_string()>
                <title id=title_id>{title}</title>
                <desc id=desc_id>{desc.clone()}</desc>
                {picture}
            </svg>
            <p class="hint">{desc}</p>
            <details>
                <summary>{table}</summary>
                <div class="plot-table" role="group" aria-label=title tabindex="0">
                    {numbers(of, total, &series, &bars, lang)}
                </div>
            </details>
        </figure>
    }
}

fn picture(series: &[Series], bars: &[(String, Vec<u64>)], lang: Lang) -> impl IntoView + use<> {
    let sums = bars.iter().map(|(_, values)| values.iter().sum::<u64>());
    let ticks = ticks(sums.max().unwrap_or(0) as f64, 3);
    let top = ticks.last().copied().unwrap_or_default();
    let values: Vec<Vec<f64>> =
        bars.iter().map(|(_, values)| values.iter().map(|&n| n as f64).collect()).collect();
    let keys: Vec<usize> = series.iter().map(|(key, _)| *key).collect();
    let lines = ticks.into_iter().map(move |tick| {
        let share = if top > 0.0 { tick / top } else { 0.0 };
        let y = (FIELD_TOP + FIELD_HEIGHT * (1.0 - share)).to_string();
        let above = (FIELD_TOP + FIELD_HEIGHT * (1.0 - share) - 3.0).to_string();
        view! {
            <line x1="0" x2="100%" y1=y.clone() y2=y/>
            <text class="plot-tick" x="0" y=above>{format::integer(lang, tick as u64)}</text>
        }
    });
    let lines = lines.collect_view();
    let parts = stacked(&values, top).into_iter().map(move |part| {
        let percent = |value: f64| format!("{value:.3}%");
        let key = keys.get(part.series).copied().unwrap_or_default();
        view! {
            <rect class=format!("s{key}") x=percent(part.x) width=percent(part.width)
                y=percent(part.y) height=percent(part.height)/>
        }
    });
    let parts = parts.collect_view();
    let n = bars.len();
    let below = (FIELD_TOP + FIELD_HEIGHT + 17.0).to_string();
    let names = labelled(n, NAMES_MAX).into_iter().map(|i| {
        let at = middle(i, n);
        let anchor = match at {
            ..8.0 => "start",
            92.0.. => "end",
            _ => "middle",
        };
        let x = match anchor {
            "start" => "0".to_owned(),
            "end" => "100%".to_owned(),
            _ => format!("{at:.3}%"),
        };
        let name = bars.get(i).map(|(name, _)| name.clone()).unwrap_or_default();
        view! { <text class="plot-name" x=x y=below.clone() text-anchor=anchor>{name}</text> }
    });
    let names = names.collect_view();
    view! {
        <g aria-hidden="true">
            {lines}
            <svg x="0" y=FIELD_TOP.to_string() width="100%" height=FIELD_HEIGHT.to_string()>{parts}</svg>
            {names}
        </g>
    }
}

fn numbers(
    of: &'static str,
    total: &'static str,
    series: &[Series],
    bars: &[(String, Vec<u64>)],
    lang: Lang,
) -> impl IntoView + use<> {
    let heads = series.iter().map(|&(_, name)| view! { <th scope="col">{name}</th> });
    let heads = heads.collect_view();
    let rows = bars.iter().map(|(name, values)| {
        let cells = values.iter().map(|&n| view! { <td>{format::integer(lang, n)}</td> });
        let sum: u64 = values.iter().sum();
        view! {
            <tr>
                <th scope="row">{name.clone()}</th>
                {cells.collect_view()}
                <td data-sum="">{format::integer(lang, sum)}</td>
            </tr>
        }
    });
    let rows = rows.collect_view();
    view! {
        <table class="people-numbers">
            <thead><tr><th scope="col">{of}</th>{heads}<th scope="col">{total}</th></tr></thead>
            <tbody>{rows}</tbody>
        </table>
    }
}

/// A row of a table whose number is also a bar.
pub struct Line {
    pub name: String,
    /// By which it is known.
    pub key: String,
    /// 0 to 1, the parts of each series upon each other.
    pub shares: Vec<(usize, f64)>,
    /// What stands in the columns behind the name.
    pub cells: Vec<String>,
}

/// A table with bars: what they show stands in it.
pub fn bar_table(
    id: &'static str,
    caption: &'static str,
    heads: Vec<&'static str>,
    lines: Vec<Line>,
) -> impl IntoView {
    let heads = heads.into_iter().map(|head| view! { <th scope="col">{head}</th> }).collect_view();
    let rows = lines.into_iter().map(|line| {
        let mut at = 0.0;
        let bars = line.shares.into_iter().map(|(key, share)| {
            let x = at;
            at += share * 100.0;
            view! {
                <rect class=format!("s{key}") x=format!("{x:.3}%") width=format!("{:.3}%", share * 100.0)
                    y="0" height="100%"/>
            }
        });
        let bars = bars.collect_view();
        let cells = line.cells.into_iter().map(|cell| view! { <td>{cell}</td> }).collect_view();
        view! {
            <tr data-line=line.key>
                <th scope="row" dir="auto">
                    {line.name}
                    <svg class="plot-line" aria-hidden="true" width="100%" height="8">{bars}</svg>
                </th>
                {cells}
            </tr>
        }
    });
    let rows = rows.collect_view();
    view! {
        <div class="plot-table" role="group" aria-label=caption tabindex="0">
            <table class="people-numbers" data-bars=id>
                <caption class="visually-hidden">{caption}</caption>
                <thead><tr>{heads}</tr></thead>
                <tbody>{rows}</tbody>
            </table>
        </div>
    }
}
