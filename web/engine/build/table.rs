//! Which variants does `kernels/variants.toml` name?

use std::path::Path;

use crate::preprocess::Symbols;

/// One variant of a kernel.
pub struct Variant {
    pub kernel: String,
    pub title: String,
    pub symbols: Symbols,
}

fn symbols_of(table: Option<&toml::Value>) -> Symbols {
    let Some(table) = table else { return Symbols::new() };
    table
        .as_table()
        .expect("symbols are a table")
        .iter()
        .map(|(name, value)| (name.clone(), value.as_integer().expect("symbols are integers")))
        .collect()
}

/// All variants, `each` multiplied out.
///
/// # Panics
/// If the file is not as its head describes it: the build must fail.
pub fn read(path: &Path) -> Vec<Variant> {
    let text = std::fs::read_to_string(path).expect("variants.toml");
    let table: toml::Table = text.parse().expect("variants.toml is TOML");
    let mut variants = Vec::new();
    for (kernel, entry) in &table {
        let base = symbols_of(entry.get("base"));
        let list = entry.get("variants").and_then(toml::Value::as_array).expect("variants");
        for item in list {
            let title = item.get("title").and_then(toml::Value::as_str).expect("title");
            let mut made = vec![(title.to_owned(), base.clone())];
            for (_, symbols) in &mut made {
                symbols.extend(symbols_of(item.get("set")));
            }
            let axes = item.get("each").and_then(toml::Value::as_table);
            for (name, values) in axes.into_iter().flatten() {
                let values = values.as_array().expect("each has lists");
                made = made
                    .iter()
                    .flat_map(|(title, symbols)| {
                        values.iter().map(move |value| {
                            let value = value.as_integer().expect("symbols are integers");
                            let mut symbols = symbols.clone();
                            symbols.insert(name.clone(), value);
                            (format!("{title}, {name}={value}"), symbols)
                        })
                    })
                    .collect();
            }
            variants.extend(made.into_iter().map(|(title, symbols)| Variant {
                kernel: kernel.clone(),
                title,
                symbols,
            }));
        }
    }
    variants
}
