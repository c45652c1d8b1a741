//! Which claims of a sign-in service give which role and groups?

use serde::{Deserialize, Serialize};

use crate::rules::names_of;

/// `GET`, `PUT /api/people/oidc`
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct OidcRules {
    /// A role, or `none`: only who a rule lets in comes in.
    pub default_role: String,
    pub rules: Vec<Rule>,
}

#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Rule {
    pub claim: String,
    pub value: String,
    #[serde(default)]
    pub role: Option<String>,
    #[serde(default)]
    pub groups: Vec<String>,
}

/// `POST /api/people/oidc/try`
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
pub struct Tried {
    pub outcome: Outcome,
    pub claims: serde_json::Map<String, serde_json::Value>,
}

/// What the rules make of somebody.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize)]
pub struct Outcome {
    /// None: not let in.
    pub role: Option<String>,
    #[serde(default)]
    pub is_by_rule: bool,
    #[serde(default)]
    pub groups: Vec<String>,
    #[serde(default)]
    pub refused_groups: Vec<String>,
}

/// A rule as it is typed.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Draft {
    pub claim: String,
    pub value: String,
    /// Empty: it gives none.
    pub role: String,
    /// With commas between them.
    pub groups: String,
}

impl Draft {
    pub fn of(rule: &Rule) -> Self {
        Self {
            claim: rule.claim.clone(),
            value: rule.value.clone(),
            role: rule.role.clone().unwrap_or_default(),
            groups: rule.groups.join(", "),
        }
    }

    pub fn rule(&self) -> Rule {
        Rule {
            claim: self.claim.trim().to_owned(),
            value: self.value.trim().to_owned(),
            role: Some(self.role.clone()).filter(|role| !role.is_empty()),
            groups: names_of(&self.groups),
        }
    }

    /// Nothing was typed: it is left out.
    pub fn is_empty(&self) -> bool {
        self.claim.trim().is_empty() && self.value.trim().is_empty()
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn a_rule_comes_back_as_it_was() {
        let json = json!({ "claim": "realm_access.roles", "value": "house-*", "role": null, "groups": ["*", "staff"] });
        let rule: Rule = serde_json::from_value(json.clone()).unwrap();
        assert_eq!(json!(Draft::of(&rule).rule()), json);
        assert!(Draft::default().is_empty());
    }
}
