//! What do the house and its groups say? As the server has it, and as somebody types it into a form.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

/// In a list: everything.
pub const ALL: &str = "*";

/// A number, or none.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(untagged)]
pub enum Limit {
    Count(u64),
    Word(Unlimited),
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Unlimited {
    Unlimited,
}

impl Limit {
    pub const NONE: Self = Self::Word(Unlimited::Unlimited);

    pub fn count(self) -> Option<u64> {
        match self {
            Self::Count(count) => Some(count),
            Self::Word(_) => None,
        }
    }
}

/// One thing that rules decide.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Field {
    ModelsOnDevice,
    ModelsOnServer,
    Tools,
    TokensPerDay,
    TokensPerMonth,
    StorageBytes,
    ChatsLeaveDevice,
    RetentionDays,
    MakeKeys,
    ShareWithGroups,
    ShareChats,
}

/// How a field is said.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    Names,
    Limit,
    Flag,
}

impl Field {
    pub const ALL: [Self; 11] = [
        Self::ModelsOnDevice,
        Self::ModelsOnServer,
        Self::Tools,
        Self::TokensPerDay,
        Self::TokensPerMonth,
        Self::StorageBytes,
        Self::ChatsLeaveDevice,
        Self::RetentionDays,
        Self::MakeKeys,
        Self::ShareWithGroups,
        Self::ShareChats,
    ];

    /// Its name in the server's JSON.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::ModelsOnDevice => "models_on_device",
            Self::ModelsOnServer => "models_on_server",
            Self::Tools => "tools",
            Self::TokensPerDay => "tokens_per_day",
            Self::TokensPerMonth => "tokens_per_month",
            Self::StorageBytes => "storage_bytes",
            Self::ChatsLeaveDevice => "chats_leave_device",
            Self::RetentionDays => "retention_days",
            Self::MakeKeys => "make_keys",
            Self::ShareWithGroups => "share_with_groups",
            Self::ShareChats => "share_chats",
        }
    }

    pub fn kind(self) -> Kind {
        match self {
            Self::ModelsOnDevice | Self::ModelsOnServer | Self::Tools => Kind::Names,
            Self::ChatsLeaveDevice | Self::MakeKeys | Self::ShareWithGroups | Self::ShareChats => {
                Kind::Flag
            }
            _ => Kind::Limit,
        }
    }
}

/// What is said of a field.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(untagged)]
pub enum Said {
    Flag(bool),
    Limit(Limit),
    Names(Vec<String>),
}

/// What a group, or the house for all, says. What is missing is not said; fields of a later server are
/// kept as they came, so that saving loses none.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Rules(BTreeMap<String, serde_json::Value>);

impl Rules {
    pub fn get(&self, field: Field) -> Option<Said> {
        let said = serde_json::from_value(self.0.get(field.as_str())?.clone()).ok()?;
        let fits = matches!(
            (field.kind(), &said),
            (Kind::Flag, Said::Flag(_))
                | (Kind::Limit, Said::Limit(_))
                | (Kind::Names, Said::Names(_))
        );
        fits.then_some(said)
    }

    pub fn set(&mut self, field: Field, said: Option<Said>) {
        match said.and_then(|said| serde_json::to_value(said).ok()) {
            Some(value) => self.0.insert(field.as_str().to_owned(), value),
            None => self.0.remove(field.as_str()),
        };
    }

    /// How many fields are said.
    pub fn n_said(&self) -> usize {
        Field::ALL.into_iter().filter(|field| self.get(*field).is_some()).count()
    }
}

/// What somebody may do who is not signed in.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Guests {
    None,
    #[default]
    Device,
    Server,
}

impl Guests {
    pub const ALL: [Self; 3] = [Self::None, Self::Device, Self::Server];

    pub fn as_str(self) -> &'static str {
        match self {
            Self::None => "none",
            Self::Device => "device",
            Self::Server => "server",
        }
    }

    pub fn from_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|guests| guests.as_str() == name)
    }
}

/// `GET`, `PUT /api/policy`
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct House {
    #[serde(default)]
    pub guests: Guests,
    #[serde(default)]
    pub rules: Rules,
    #[serde(default)]
    pub audit_device_use: bool,
    #[serde(default)]
    pub audit_days: u32,
}

/// A group of `GET /api/groups`.
#[derive(Clone, Debug, Default, PartialEq, Deserialize)]
pub struct Group {
    pub name: String,
    #[serde(default)]
    pub n_people: u64,
    #[serde(default)]
    pub policy: Rules,
}

/// `GET /api/groups`
#[derive(Clone, Debug, Default, PartialEq, Deserialize)]
pub struct Groups {
    pub groups: Vec<Group>,
}

/// What was chosen for a field, and what was typed beside it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Draft {
    pub choice: Choice,
    /// Names with commas between them, or a number.
    pub text: String,
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Choice {
    /// Others decide.
    #[default]
    Unsaid,
    /// All of them, no limit, yes.
    Open,
    /// None of them, no.
    Closed,
    /// What is typed.
    These,
}

impl Choice {
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Unsaid => "unsaid",
            Self::Open => "open",
            Self::Closed => "closed",
            Self::These => "these",
        }
    }

    pub fn from_name(name: &str) -> Self {
        let all = [Self::Open, Self::Closed, Self::These];
        all.into_iter().find(|choice| choice.as_str() == name).unwrap_or_default()
    }

    /// What can be chosen for a field.
    pub fn of(field: Field) -> &'static [Self] {
        match field.kind() {
            Kind::Names => &[Self::Unsaid, Self::Open, Self::These, Self::Closed],
            Kind::Limit => &[Self::Unsaid, Self::Open, Self::These],
            Kind::Flag => &[Self::Unsaid, Self::Open, Self::Closed],
        }
    }
}

/// Storage is typed in megabytes.
const BYTES_PER_TYPED: u64 = 1_000_000;

impl Draft {
    /// As a form first shows what is said.
    pub fn of(field: Field, said: Option<&Said>) -> Self {
        let (choice, text) = match said {
            None => (Choice::Unsaid, String::new()),
            Some(Said::Flag(true) | Said::Limit(Limit::Word(_))) => (Choice::Open, String::new()),
            Some(Said::Flag(false)) => (Choice::Closed, String::new()),
            Some(Said::Names(names)) if names.is_empty() => (Choice::Closed, String::new()),
            Some(Said::Names(names)) if names.iter().any(|name| name == ALL) => {
                (Choice::Open, String::new())
            }
            Some(Said::Names(names)) => (Choice::These, names.join(", ")),
            Some(Said::Limit(Limit::Count(count))) => (Choice::These, typed(field, *count)),
        };
        Self { choice, text }
    }

    /// What it says; the error is the field whose text says nothing.
    pub fn said(&self, field: Field) -> Result<Option<Said>, Field> {
        Ok(Some(match (self.choice, field.kind()) {
            (Choice::Unsaid, _) => return Ok(None),
            (Choice::Open, Kind::Names) => Said::Names(vec![ALL.to_owned()]),
            (Choice::Open, Kind::Limit) => Said::Limit(Limit::NONE),
            (choice, Kind::Flag) => Said::Flag(choice == Choice::Open),
            (Choice::Closed, Kind::Names) => Said::Names(Vec::new()),
            (Choice::Closed, Kind::Limit) => Said::Limit(Limit::Count(0)),
            (Choice::These, Kind::Names) => match names_of(&self.text) {
                names if names.is_empty() => return Err(field),
                names => Said::Names(names),
            },
            (Choice::These, Kind::Limit) => {
                Said::Limit(Limit::Count(count_of(field, &self.text).ok_or(field)?))
            }
        }))
    }
}

/// Names with commas or line ends between them; each once.
pub fn names_of(text: &str) -> Vec<String> {
    let mut names = Vec::new();
    for name in text.split([',', '\n', ';']).map(str::trim).filter(|name| !name.is_empty()) {
        if !names.iter().any(|known| known == name) {
            names.push(name.to_owned());
        }
    }
    names
}

fn typed(field: Field, count: u64) -> String {
    if field != Field::StorageBytes {
        return count.to_string();
    }
    let (whole, rest) = (count / BYTES_PER_TYPED, count % BYTES_PER_TYPED);
    match rest {
        0 => whole.to_string(),
        _ => format!("{whole}.{rest:06}").trim_end_matches('0').to_owned(),
    }
}

/// `50,000`, `50.000`, `50 000` and `50000` are the same number; megabytes may have a point or a comma.
fn count_of(field: Field, text: &str) -> Option<u64> {
    let plain: String = text.chars().filter(|c| !c.is_whitespace() && *c != '\'').collect();
    if field == Field::StorageBytes && !is_grouped(&plain) {
        let (whole, rest) = plain.split_once(['.', ',']).unwrap_or((&plain, ""));
        if rest.len() > 6 || !rest.bytes().all(|b| b.is_ascii_digit()) {
            return None;
        }
        let bytes: u64 = format!("{rest:0<6}").parse().ok()?;
        return whole.parse::<u64>().ok()?.checked_mul(BYTES_PER_TYPED)?.checked_add(bytes);
    }
    let count: u64 = match is_grouped(&plain) {
        true => plain.replace(['.', ','], "").parse().ok()?,
        false => plain.parse().ok()?,
    };
    match field {
        Field::StorageBytes => count.checked_mul(BYTES_PER_TYPED),
        _ => Some(count),
    }
}

/// Whether the signs in a number stand before each three digits.
fn is_grouped(text: &str) -> bool {
    let sign = if text.contains(',') { ',' } else { '.' };
    let mut groups = text.split(sign);
    let is_digits = |group: &str| group.bytes().all(|b| b.is_ascii_digit());
    let first =
        groups.next().is_some_and(|first| (1..=3).contains(&first.len()) && is_digits(first));
    let mut n = 0;
    let rest = groups.all(|group| {
        n += 1;
        group.len() == 3 && is_digits(group)
    });
    first && rest && n > 0
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn rules(value: serde_json::Value) -> Rules {
        serde_json::from_value(value).unwrap()
    }

    #[test]
    fn a_form_gives_back_what_it_was_filled_with() {
        for value in [
            json!({}),
            json!({ "models_on_server": ["*"], "tools": [], "tokens_per_day": 50_000 }),
            json!({ "models_on_device": ["a", "b"], "tokens_per_month": "unlimited" }),
            json!({ "storage_bytes": 2_500_000, "chats_leave_device": false, "make_keys": true }),
            json!({ "retention_days": 0, "storage_bytes": 1 }),
        ] {
            let said = rules(value.clone());
            let mut again = Rules::default();
            for field in Field::ALL {
                let draft = Draft::of(field, said.get(field).as_ref());
                again.set(field, draft.said(field).unwrap());
            }
            assert_eq!(again, said, "{value}");
        }
    }

    #[test]
    fn numbers_are_read_as_both_languages_write_them() {
        #[track_caller]
        fn check(field: Field, text: &str, expected: Option<u64>) {
            let draft = Draft { choice: Choice::These, text: text.to_owned() };
            let said = draft.said(field).ok().flatten();
            assert_eq!(said, expected.map(|count| Said::Limit(Limit::Count(count))), "{text}");
        }
        for text in ["50000", "50.000", "50,000", " 50 000 "] {
            check(Field::TokensPerDay, text, Some(50_000));
        }
        check(Field::TokensPerDay, "1,234,567", Some(1_234_567));
        for text in ["", "many", "-1", "5.0", "50,00", "1.234,567"] {
            check(Field::TokensPerDay, text, None);
        }
        check(Field::StorageBytes, "1", Some(1_000_000));
        check(Field::StorageBytes, "1.5", Some(1_500_000));
        check(Field::StorageBytes, "0,25", Some(250_000));
        check(Field::StorageBytes, "1,000", Some(1_000_000_000));
        check(Field::StorageBytes, "99999999999999999999", None);
    }

    #[test]
    fn names_are_taken_apart() {
        assert_eq!(names_of(" a, b ,,a\nc;"), ["a", "b", "c"]);
        let nothing = Draft { choice: Choice::These, text: " , ".into() };
        assert_eq!(nothing.said(Field::Tools), Err(Field::Tools));
    }

    #[test]
    fn what_a_later_server_says_is_not_lost() {
        let mut said = rules(json!({ "voices": ["x"], "make_keys": false, "tools": 3 }));
        assert_eq!(said.get(Field::Tools), None, "what does not fit says nothing");
        said.set(Field::MakeKeys, None);
        assert_eq!(json!(said)["voices"], json!(["x"]));
        assert_eq!(said.n_said(), 0);
    }
}
