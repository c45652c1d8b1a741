//! What does the house make of whom a sign-in service vouches for?

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use crate::people::{EVERYONE, Role, is_group_name};

const RULES_MAX: usize = 500;
const TEXT_BYTES_MAX: usize = 200;

/// Which claims give which role and groups.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct OidcRules {
    /// Of whom no rule gives one; `none`: only who a rule lets in comes in.
    #[serde(with = "role_or_none")]
    pub default_role: Option<Role>,
    pub rules: Vec<Rule>,
}

/// A word for it: a null in a request says nothing.
mod role_or_none {
    use serde::{Deserialize, Deserializer, Serializer};

    use crate::people::Role;

    pub fn serialize<S: Serializer>(role: &Option<Role>, to: S) -> Result<S::Ok, S::Error> {
        to.serialize_str(role.map_or("none", Role::as_str))
    }

    pub fn deserialize<'de, D: Deserializer<'de>>(from: D) -> Result<Option<Role>, D::Error> {
        let text = String::deserialize(from)?;
        if text == "none" {
            return Ok(None);
        }
        let role = Role::ALL.into_iter().find(|role| role.as_str() == text);
        role.map(Some).ok_or_else(|| {
            serde::de::Error::custom(format!("`{text}` is none of admin, member, guest, none"))
        })
    }
}

impl Default for OidcRules {
    fn default() -> Self {
        Self { default_role: Some(Role::Member), rules: Vec::new() }
    }
}

/// Where a claim has a value, its person has a role and groups.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Rule {
    /// Its name; a point leads deeper: `realm_access.roles`.
    pub claim: String,
    /// The value, or one of a list; `*` at its end stands for anything.
    pub value: String,
    #[serde(default)]
    pub role: Option<Role>,
    /// `*` in a name stands for what the value's `*` did.
    #[serde(default)]
    pub groups: Vec<String>,
}

/// What the rules make of somebody.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Outcome {
    /// The highest that a rule gives, else the default; null: not let in.
    pub role: Option<Role>,
    /// Whether a rule gave it: else who is here already keeps theirs.
    pub is_by_rule: bool,
    pub groups: Vec<String>,
    /// Names of groups that cannot be, which are passed over.
    pub refused_groups: Vec<String>,
}

impl OidcRules {
    /// Why they cannot be kept.
    pub fn fault(&self) -> Option<&'static str> {
        let is_short = |text: &String| (1..=TEXT_BYTES_MAX).contains(&text.len());
        let is_good = |rule: &Rule| {
            is_short(&rule.claim) && is_short(&rule.value) && rule.groups.iter().all(is_short)
        };
        match self.rules.len() <= RULES_MAX && self.rules.iter().all(is_good) {
            true => None,
            false => Some("at most 500 rules, whose claims, values and groups have 1 to 200 bytes"),
        }
    }

    pub fn apply(&self, claims: &Map<String, Value>) -> Outcome {
        let mut outcome = Outcome {
            role: None,
            is_by_rule: false,
            groups: Vec::new(),
            refused_groups: Vec::new(),
        };
        for rule in &self.rules {
            for rest in rule.matches(claims) {
                outcome.role = outcome.role.max(rule.role);
                for group in &rule.groups {
                    let group = group.replace('*', &rest);
                    let list = match is_group_name(&group) && group != EVERYONE {
                        true => &mut outcome.groups,
                        false => &mut outcome.refused_groups,
                    };
                    if !list.contains(&group) {
                        list.push(group);
                    }
                }
            }
        }
        outcome.is_by_rule = outcome.role.is_some();
        outcome.role = outcome.role.or(self.default_role);
        outcome
    }
}

impl Rule {
    /// What the value's `*` stood for, for each value that it met.
    fn matches(&self, claims: &Map<String, Value>) -> Vec<String> {
        let mut found = claims.get(&self.claim);
        if found.is_none() {
            let mut parts = self.claim.split('.');
            found = parts.next().and_then(|first| claims.get(first));
            for part in parts {
                found = found.and_then(|value| value.get(part));
            }
        }
        let values = match found {
            Some(Value::Array(values)) => values.iter().collect(),
            Some(value) => vec![value],
            None => Vec::new(),
        };
        let rest = |value: &Value| {
            let text = match value {
                Value::String(text) => text.clone(),
                Value::Bool(_) | Value::Number(_) => value.to_string(),
                _ => return None,
            };
            match self.value.strip_suffix('*') {
                Some(beginning) => text.strip_prefix(beginning).map(str::to_owned),
                None => (text == self.value).then_some(text),
            }
        };
        values.into_iter().filter_map(rest).collect()
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn claims_give_the_highest_role_and_all_groups() {
        let rules: OidcRules = serde_json::from_value(json!({ "default_role": "none", "rules": [
            { "claim": "groups", "value": "house-*", "role": "member", "groups": ["*"] },
            { "claim": "realm_access.roles", "value": "admin", "role": "admin" },
            { "claim": "email_verified", "value": "true", "groups": ["mail"] },
            { "claim": "https://example.org/role", "value": "guest", "role": "guest" },
        ] }))
        .unwrap();
        let apply = |claims: Value| {
            let outcome = rules.apply(claims.as_object().unwrap());
            (outcome.role, outcome.groups, outcome.refused_groups)
        };
        assert_eq!(apply(json!({})), (None, vec![], vec![]));
        assert_eq!(
            apply(json!({ "groups": ["house-staff", "other", "house-board", "house-everyone"] })),
            (Some(Role::Member), vec!["staff".into(), "board".into()], vec!["everyone".into()])
        );
        assert_eq!(
            apply(json!({ "groups": "house-staff", "realm_access": { "roles": ["x", "admin"] } }))
                .0,
            Some(Role::Admin)
        );
        assert_eq!(apply(json!({ "email_verified": true })), (None, vec!["mail".into()], vec![]));
        assert_eq!(apply(json!({ "https://example.org/role": "guest" })).0, Some(Role::Guest));
        assert_eq!(apply(json!({ "groups": [{ "house-": 1 }, null] })).0, None);
        let usual = OidcRules::default().apply(&Map::new());
        assert_eq!((usual.role, usual.is_by_rule), (Some(Role::Member), false));
    }
}
