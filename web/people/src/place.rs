//! Where does an address lead among the house's administration?

use crate::audit::encoded;

/// A view of it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum Place {
    /// Everybody who has an account.
    #[default]
    Everyone,
    /// One of them, by id.
    Person(String),
    Groups,
    /// One group's rules, by name.
    Group(String),
    /// What the house says for all.
    Rules,
    /// Rules for who comes from a sign-in service.
    SignInService,
    /// Which models the server has, and may fetch.
    Models,
    /// Servers of tools.
    Tools,
    /// Name, logo, colour.
    Look,
    /// What is announced to whom.
    Announcements,
    /// What was used, where, and what it comes to.
    Usage,
    /// How the house is doing.
    Overview,
    Log,
}

impl Place {
    /// Of what stands behind `#/people/`. An address that was cut short leads to where one can go on.
    pub fn from_rest(rest: &str) -> Self {
        let (view, rest) = rest.split_once('/').unwrap_or((rest, ""));
        match (view, rest) {
            ("person", id) if !id.is_empty() => Self::Person(id.to_owned()),
            ("groups", "") => Self::Groups,
            ("groups", name) => Self::Group(decoded(name)),
            ("rules", _) => Self::Rules,
            ("service", _) => Self::SignInService,
            ("models", _) => Self::Models,
            ("tools", _) => Self::Tools,
            ("look", _) => Self::Look,
            ("announcements", _) => Self::Announcements,
            ("usage", _) => Self::Usage,
            ("overview", _) => Self::Overview,
            ("log", _) => Self::Log,
            _ => Self::Everyone,
        }
    }

    pub fn hash(&self) -> String {
        match self {
            Self::Everyone => "#/people".to_owned(),
            Self::Person(id) => format!("#/people/person/{}", encoded(id)),
            Self::Groups => "#/people/groups".to_owned(),
            Self::Group(name) => format!("#/people/groups/{}", encoded(name)),
            Self::Rules => "#/people/rules".to_owned(),
            Self::SignInService => "#/people/service".to_owned(),
            Self::Models => "#/people/models".to_owned(),
            Self::Tools => "#/people/tools".to_owned(),
            Self::Look => "#/people/look".to_owned(),
            Self::Announcements => "#/people/announcements".to_owned(),
            Self::Usage => "#/people/usage".to_owned(),
            Self::Overview => "#/people/overview".to_owned(),
            Self::Log => "#/people/log".to_owned(),
        }
    }

    /// The tab that it stands under.
    pub fn tab(&self) -> Self {
        match self {
            Self::Person(_) => Self::Everyone,
            Self::Group(_) => Self::Groups,
            other => other.clone(),
        }
    }
}

/// `%20` → a space; what is no such sign stays.
fn decoded(text: &str) -> String {
    let mut bytes = Vec::with_capacity(text.len());
    let mut rest = text.as_bytes();
    while let Some((&byte, after)) = rest.split_first() {
        let digits = after.get(..2).and_then(|digits| std::str::from_utf8(digits).ok());
        let value = digits.and_then(|digits| u8::from_str_radix(digits, 16).ok());
        let (one, next) = match value.filter(|_| byte == b'%') {
            Some(value) => (value, &after[2..]),
            None => (byte, after),
        };
        bytes.push(one);
        rest = next;
    }
    String::from_utf8_lossy(&bytes).into_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses_lead_back() {
        for place in [
            Place::Everyone,
            Place::Person("0193".into()),
            Place::Groups,
            Place::Group("Büro / 2. Stock 100%".into()),
            Place::Rules,
            Place::SignInService,
            Place::Models,
            Place::Tools,
            Place::Look,
            Place::Announcements,
            Place::Usage,
            Place::Overview,
            Place::Log,
        ] {
            let hash = place.hash();
            let rest = hash.strip_prefix("#/people").unwrap();
            assert_eq!(Place::from_rest(rest.trim_start_matches('/')), place, "{hash}");
        }
        for rest in ["", "person", "person/", "nowhere/x"] {
            assert_eq!(Place::from_rest(rest), Place::Everyone, "{rest}");
        }
        assert_eq!(Place::from_rest("groups/%zz%4"), Place::Group("%zz%4".into()));
    }
}
