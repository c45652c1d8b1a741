//! A verb's options: `--name value`, `--name=value` and `--flag`.

use std::collections::BTreeMap;

/// What stood on the command line, checked against what the verb knows.
#[derive(Debug, Default, PartialEq, Eq)]
pub struct Options {
    values: BTreeMap<String, String>,
    flags: Vec<String>,
}

impl Options {
    /// Fails on an unknown option and on one whose value is missing.
    pub fn parse(arguments: Vec<String>, valued: &[&str], flags: &[&str]) -> anyhow::Result<Self> {
        let mut options = Options::default();
        let mut arguments = arguments.into_iter();
        while let Some(argument) = arguments.next() {
            let Some(name) = argument.strip_prefix("--") else {
                anyhow::bail!("`{argument}` is not an option of this verb");
            };
            let (name, inline) = match name.split_once('=') {
                Some((name, value)) => (name, Some(value.to_owned())),
                None => (name, None),
            };
            if flags.contains(&name) && inline.is_none() {
                options.flags.push(name.to_owned());
            } else if valued.contains(&name) {
                let value = inline
                    .or_else(|| arguments.next())
                    .ok_or_else(|| anyhow::anyhow!("--{name} needs a value"))?;
                options.values.insert(name.to_owned(), value);
            } else {
                anyhow::bail!("`{argument}` is not an option of this verb");
            }
        }
        Ok(options)
    }

    pub fn value(&self, name: &str) -> Option<&str> {
        self.values.get(name).map(String::as_str)
    }

    pub fn has(&self, flag: &str) -> bool {
        self.flags.iter().any(|name| name == flag)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parse(line: &str) -> anyhow::Result<Options> {
        let words = line.split_whitespace().map(str::to_owned).collect();
        Options::parse(words, &["addr", "data"], &["dev"])
    }

    #[test]
    fn reads_values_and_flags() {
        let options = parse("--addr 0.0.0.0:1 --dev --data=/tmp/d").unwrap();
        assert_eq!(options.value("addr"), Some("0.0.0.0:1"));
        assert_eq!(options.value("data"), Some("/tmp/d"));
        assert!(options.has("dev"));
    }

    #[test]
    fn refuses_what_it_does_not_know() {
        assert!(parse("--adr x").is_err());
        assert!(parse("--addr").is_err());
        assert!(parse("dev").is_err());
        assert!(parse("--dev=1").is_err());
    }
}
