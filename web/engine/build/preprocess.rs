//! How does a kernel's source become one variant's WGSL?
//!
//! A small line-based preprocessor, used by the build script (which validates every variant) and at
//! run time (which makes the variant that a plan asks for). The idea is vello's
//! (`vello_shaders/src/compile/preprocess.rs`); loops and arithmetic are added because software
//! adapters do not unroll.
//!
//! | line | meaning |
//! |---|---|
//! | `#include "shared/act.wgsl"` | that file, with the symbols as they stand |
//! | `#define NAME expr` | sets a symbol, also again |
//! | `#if expr` `#elif expr` `#else` `#endif` | keeps lines where `expr` is not 0 |
//! | `#for I from to` … `#end` | repeats lines with `I = from … to-1` |
//!
//! `${expr}` in any other line is replaced by its value. An expression has integers, symbols,
//! `NAME[expr]` (the symbol `NAME` followed by a number), `defined(NAME)`, `! * / % + - < <= > >= ==
//! != && ||` and parentheses. An unknown symbol is an error.

use std::collections::BTreeMap;

/// What is wrong with a source, and where.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PreprocessError {
    pub file: String,
    /// From 1.
    pub line: usize,
    pub reason: String,
}

impl std::fmt::Display for PreprocessError {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{}:{}: {}", self.file, self.line, self.reason)
    }
}

impl std::error::Error for PreprocessError {}

/// Values of symbols.
pub type Symbols = BTreeMap<String, i64>;

/// Expands `file` of `read` (a file's text by its path in `kernels/`) under `symbols`.
///
/// # Errors
/// [`PreprocessError`] for an unknown file, directive or symbol, and for unbalanced blocks.
pub fn preprocess<'a>(
    file: &str,
    read: &dyn Fn(&str) -> Option<&'a str>,
    symbols: &Symbols,
) -> Result<String, PreprocessError> {
    let mut symbols = symbols.clone();
    let mut out = String::new();
    include(file, read, &mut symbols, &mut out, 0)?;
    Ok(out)
}

/// Deep enough for real kernels, and an include cycle ends.
const MAX_DEPTH: usize = 8;

fn include<'a>(
    file: &str,
    read: &dyn Fn(&str) -> Option<&'a str>,
    symbols: &mut Symbols,
    out: &mut String,
    depth: usize,
) -> Result<(), PreprocessError> {
    let fail =
        |line: usize, reason: String| PreprocessError { file: file.to_owned(), line, reason };
    if depth > MAX_DEPTH {
        return Err(fail(0, "includes are nested too deeply".to_owned()));
    }
    let text = read(file).ok_or_else(|| fail(0, "no such file".to_owned()))?;
    let lines: Vec<&str> = text.lines().collect();
    let mut expander = Expander { file, read, lines: &lines, depth };
    expander.block(0, lines.len(), symbols, out)
}

struct Expander<'s, 'r, 'a> {
    file: &'s str,
    read: &'r dyn Fn(&str) -> Option<&'a str>,
    lines: &'s [&'s str],
    depth: usize,
}

/// A directive and the rest of its line.
fn directive(line: &str) -> Option<(&str, &str)> {
    let line = line.trim_start().strip_prefix('#')?;
    let (name, rest) = line.split_once(char::is_whitespace).unwrap_or((line, ""));
    Some((name, rest.split("//").next().unwrap_or("").trim()))
}

impl Expander<'_, '_, '_> {
    fn fail<T>(&self, line: usize, reason: impl Into<String>) -> Result<T, PreprocessError> {
        Err(PreprocessError { file: self.file.to_owned(), line: line + 1, reason: reason.into() })
    }

    fn value(&self, line: usize, text: &str, symbols: &Symbols) -> Result<i64, PreprocessError> {
        evaluate(text, symbols).or_else(|reason| self.fail(line, format!("`{text}`: {reason}")))
    }

    /// The lines after `from` at which the block opened there goes on (`#elif`, `#else`) or ends.
    fn marks(&self, from: usize, end: usize) -> Result<Vec<usize>, PreprocessError> {
        let mut open = 0_usize;
        let mut marks = Vec::new();
        for at in from + 1..end {
            match directive(self.lines[at]).map(|(name, _)| name) {
                Some("if" | "for") => open += 1,
                Some("elif" | "else") if open == 0 => marks.push(at),
                Some("endif" | "end") if open == 0 => {
                    marks.push(at);
                    return Ok(marks);
                }
                Some("endif" | "end") => open -= 1,
                _ => {}
            }
        }
        self.fail(from, "the block is never closed")
    }

    fn block(
        &mut self,
        from: usize,
        end: usize,
        symbols: &mut Symbols,
        out: &mut String,
    ) -> Result<(), PreprocessError> {
        let mut at = from;
        while at < end {
            let line = self.lines[at];
            match directive(line) {
                None => {
                    self.substitute(at, line, symbols, out)?;
                    out.push('\n');
                }
                Some(("include", path)) => {
                    include(path.trim_matches('"'), self.read, symbols, out, self.depth + 1)?;
                }
                Some(("define", rest)) => {
                    let Some((name, expr)) = rest.split_once(char::is_whitespace) else {
                        return self.fail(at, "#define NAME expr");
                    };
                    let value = self.value(at, expr, symbols)?;
                    symbols.insert(name.to_owned(), value);
                }
                Some(("if", condition)) => {
                    let marks = self.marks(at, end)?;
                    let (mut start, mut condition) = (at, Some(condition));
                    for &mark in &marks {
                        let taken = match condition {
                            Some(condition) => self.value(start, condition, symbols)? != 0,
                            None => true,
                        };
                        if taken {
                            self.block(start + 1, mark, symbols, out)?;
                            break;
                        }
                        start = mark;
                        condition = match directive(self.lines[mark]) {
                            Some(("elif", condition)) => Some(condition),
                            _ => None,
                        };
                    }
                    at = marks[marks.len() - 1];
                }
                Some(("for", rest)) => {
                    let close = self.marks(at, end)?;
                    let words: Vec<&str> = rest.split_whitespace().collect();
                    let [name, first, last] = words[..] else {
                        return self.fail(at, "#for I from to");
                    };
                    let (first, last) =
                        (self.value(at, first, symbols)?, self.value(at, last, symbols)?);
                    for i in first..last {
                        symbols.insert(name.to_owned(), i);
                        self.block(at + 1, close[0], symbols, out)?;
                    }
                    symbols.remove(name);
                    at = close[0];
                }
                Some((other, _)) => return self.fail(at, format!("unknown directive #{other}")),
            }
            at += 1;
        }
        Ok(())
    }

    fn substitute(
        &self,
        at: usize,
        line: &str,
        symbols: &Symbols,
        out: &mut String,
    ) -> Result<(), PreprocessError> {
        let mut rest = line;
        while let Some(start) = rest.find("${") {
            out.push_str(&rest[..start]);
            let Some(length) = rest[start..].find('}') else {
                return self.fail(at, "`${` is never closed");
            };
            let value = self.value(at, &rest[start + 2..start + length], symbols)?;
            out.push_str(&value.to_string());
            rest = &rest[start + length + 1..];
        }
        out.push_str(rest);
        Ok(())
    }
}

/// The value of an expression.
///
/// # Errors
/// A sentence.
fn evaluate(text: &str, symbols: &Symbols) -> Result<i64, String> {
    let mut parser = Parser { rest: text.trim(), symbols };
    let value = parser.binary(0)?;
    if parser.rest.is_empty() { Ok(value) } else { Err(format!("unexpected `{}`", parser.rest)) }
}

/// Operators by rising precedence; longer ones first within a level.
const LEVELS: [&[&str]; 6] =
    [&["||"], &["&&"], &["==", "!="], &["<=", ">=", "<", ">"], &["+", "-"], &["*", "/", "%"]];

struct Parser<'a> {
    rest: &'a str,
    symbols: &'a Symbols,
}

impl<'a> Parser<'a> {
    fn eat(&mut self, token: &str) -> bool {
        match self.rest.strip_prefix(token) {
            Some(rest) => {
                self.rest = rest.trim_start();
                true
            }
            None => false,
        }
    }

    fn binary(&mut self, level: usize) -> Result<i64, String> {
        let Some(operators) = LEVELS.get(level) else { return self.unary() };
        let mut left = self.binary(level + 1)?;
        while let Some(operator) = operators.iter().find(|operator| self.eat(operator)) {
            let right = self.binary(level + 1)?;
            left = match *operator {
                "||" => i64::from(left != 0 || right != 0),
                "&&" => i64::from(left != 0 && right != 0),
                "==" => i64::from(left == right),
                "!=" => i64::from(left != right),
                "<=" => i64::from(left <= right),
                ">=" => i64::from(left >= right),
                "<" => i64::from(left < right),
                ">" => i64::from(left > right),
                "+" => left.checked_add(right).ok_or("overflow")?,
                "-" => left.checked_sub(right).ok_or("overflow")?,
                "*" => left.checked_mul(right).ok_or("overflow")?,
                "/" => left.checked_div(right).ok_or("division by zero")?,
                _ => left.checked_rem(right).ok_or("division by zero")?,
            };
        }
        Ok(left)
    }

    fn name(&mut self) -> &'a str {
        let length = self
            .rest
            .find(|c: char| !(c.is_ascii_alphanumeric() || c == '_'))
            .unwrap_or(self.rest.len());
        let (name, rest) = self.rest.split_at(length);
        self.rest = rest.trim_start();
        name
    }

    fn unary(&mut self) -> Result<i64, String> {
        if self.eat("!") {
            return Ok(i64::from(self.unary()? == 0));
        }
        if self.eat("-") {
            return self.unary()?.checked_neg().ok_or_else(|| "overflow".to_owned());
        }
        if self.eat("(") {
            let value = self.binary(0)?;
            return if self.eat(")") { Ok(value) } else { Err("`)` is missing".to_owned()) };
        }
        let word = self.name();
        if word.is_empty() {
            return Err("a value is missing".to_owned());
        }
        if word.starts_with(|c: char| c.is_ascii_digit()) {
            return word.parse().map_err(|_| format!("`{word}` is not a number"));
        }
        if word == "defined" {
            if !self.eat("(") {
                return Err("defined(NAME)".to_owned());
            }
            let name = self.name();
            let is_defined = self.symbols.contains_key(name);
            return if self.eat(")") {
                Ok(i64::from(is_defined))
            } else {
                Err("`)` is missing".to_owned())
            };
        }
        let symbol = if self.eat("[") {
            let index = self.binary(0)?;
            if !self.eat("]") {
                return Err("`]` is missing".to_owned());
            }
            format!("{word}{index}")
        } else {
            word.to_owned()
        };
        self.symbols.get(&symbol).copied().ok_or_else(|| format!("unknown symbol `{symbol}`"))
    }
}
