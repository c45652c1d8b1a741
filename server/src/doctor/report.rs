//! What was found?

use serde::Serialize;

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Verdict {
    Good,
    /// Works, and will not for ever or not for all.
    Warning,
    Fault,
    /// There is nothing to examine, or no way to.
    Skipped,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Check {
    /// Stable: scripts go by it.
    pub name: &'static str,
    /// On which of several, such as an upstream's id.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub of: Option<String>,
    pub verdict: Verdict,
    pub found: String,
    /// What to do.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub advice: Option<String>,
}

/// All checks, in the order in which they were made.
#[derive(Clone, Debug, Default, Serialize)]
pub struct Report {
    pub checks: Vec<Check>,
}

impl Report {
    pub fn good(&mut self, name: &'static str, found: impl Into<String>) {
        self.push(name, None, Verdict::Good, found.into(), None);
    }

    pub fn skipped(&mut self, name: &'static str, found: impl Into<String>) {
        self.push(name, None, Verdict::Skipped, found.into(), None);
    }

    pub fn warning(&mut self, name: &'static str, found: impl Into<String>, advice: String) {
        self.push(name, None, Verdict::Warning, found.into(), Some(advice));
    }

    pub fn fault(&mut self, name: &'static str, found: impl Into<String>, advice: String) {
        self.push(name, None, Verdict::Fault, found.into(), Some(advice));
    }

    pub fn push(
        &mut self,
        name: &'static str,
        of: Option<&str>,
        verdict: Verdict,
        found: String,
        advice: Option<String>,
    ) {
        self.checks.push(Check { name, of: of.map(str::to_owned), verdict, found, advice });
    }

    pub fn has_faults(&self) -> bool {
        self.checks.iter().any(|check| check.verdict == Verdict::Fault)
    }
}
