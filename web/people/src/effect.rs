//! What do the rules of house and groups come to for one person, and who says so?
//!
//! The server decides (`server/src/people/policy.rs`); this shows it before somebody saves, by the same
//! rule: field by field the most generous of what the person's groups say, and what the house says where
//! none of them says anything.

use std::collections::BTreeSet;

use crate::rules::{ALL, Field, Group, Guests, House, Kind, Limit, Said};

/// What one field comes to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Effect {
    pub field: Field,
    pub value: Said,
    pub from: Source,
}

/// Who says so.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Source {
    Groups(Vec<String>),
    House,
    /// Nobody: this is the usual.
    Usual,
    /// It follows from chats that may not leave the device.
    ChatsStay,
    /// Guests may no more.
    Guests,
}

/// All fields, for somebody of this role in these groups.
pub fn effects(house: &House, groups: &[Group], role: &str, member_of: &[String]) -> Vec<Effect> {
    let own: Vec<&Group> = groups.iter().filter(|group| member_of.contains(&group.name)).collect();
    let mut all: Vec<Effect> =
        Field::ALL.into_iter().map(|field| one(house, &own, field)).collect();
    if value_of(&all, Field::ChatsLeaveDevice) == Some(&Said::Flag(false)) {
        stay(&mut all, &Source::ChatsStay);
    }
    if role == "guest" {
        set(&mut all, Field::MakeKeys, Said::Flag(false), &Source::Guests);
        set(&mut all, Field::ShareWithGroups, Said::Flag(false), &Source::Guests);
        set(&mut all, Field::ShareChats, Said::Flag(false), &Source::Guests);
        if house.guests != Guests::Server {
            set(&mut all, Field::ChatsLeaveDevice, Said::Flag(false), &Source::Guests);
            stay(&mut all, &Source::Guests);
        }
        if house.guests == Guests::None {
            set(&mut all, Field::ModelsOnDevice, Said::Names(Vec::new()), &Source::Guests);
        }
    }
    all
}

fn value_of(all: &[Effect], field: Field) -> Option<&Said> {
    all.iter().find(|effect| effect.field == field).map(|effect| &effect.value)
}

fn set(all: &mut [Effect], field: Field, value: Said, from: &Source) {
    let found = all.iter_mut().find(|effect| effect.field == field);
    if let Some(effect) = found.filter(|effect| effect.value != value) {
        *effect = Effect { field, value, from: from.clone() };
    }
}

/// Nothing of it on the server.
fn stay(all: &mut [Effect], from: &Source) {
    set(all, Field::ModelsOnServer, Said::Names(Vec::new()), from);
    set(all, Field::MakeKeys, Said::Flag(false), from);
    set(all, Field::ShareChats, Said::Flag(false), from);
}

fn one(house: &House, groups: &[&Group], field: Field) -> Effect {
    let said: Vec<(&String, Said)> =
        groups.iter().filter_map(|group| Some((&group.name, group.policy.get(field)?))).collect();
    if said.is_empty() {
        return match house.rules.get(field) {
            Some(value) => Effect { field, value: tidied(value), from: Source::House },
            None => Effect { field, value: usual(field), from: Source::Usual },
        };
    }
    let value = most_generous(field, said.iter().map(|(_, said)| said));
    // Lists are united: all that say something have a part in it.
    let counts = |said: &Said| field.kind() == Kind::Names || *said == value;
    let names = said.iter().filter(|(_, said)| counts(said)).map(|(name, _)| (*name).clone());
    let from = Source::Groups(names.collect());
    Effect { field, value, from }
}

fn most_generous<'a>(field: Field, said: impl Iterator<Item = &'a Said>) -> Said {
    let (mut names, mut limit, mut flag) = (Vec::new(), Limit::Count(0), false);
    for one in said {
        match one {
            Said::Names(more) => names.extend(more.iter().cloned()),
            Said::Limit(other) => limit = limit.max(*other),
            Said::Flag(other) => flag |= other,
        }
    }
    match field.kind() {
        Kind::Names => tidied(Said::Names(names)),
        Kind::Limit => Said::Limit(limit),
        Kind::Flag => Said::Flag(flag),
    }
}

/// Each name once, and `*` alone.
fn tidied(said: Said) -> Said {
    match said {
        Said::Names(names) if names.iter().any(|name| name == ALL) => {
            Said::Names(vec![ALL.to_owned()])
        }
        Said::Names(names) => {
            Said::Names(names.into_iter().collect::<BTreeSet<_>>().into_iter().collect())
        }
        other => other,
    }
}

fn usual(field: Field) -> Said {
    match field.kind() {
        Kind::Names => Said::Names(vec![ALL.to_owned()]),
        Kind::Limit => Said::Limit(Limit::NONE),
        Kind::Flag => Said::Flag(true),
    }
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;

    fn group(name: &str, policy: Value) -> Group {
        Group {
            name: name.to_owned(),
            n_people: 1,
            policy: serde_json::from_value(policy).unwrap(),
        }
    }

    #[track_caller]
    fn check(
        house: Value,
        groups: &[(&str, Value)],
        role: &str,
        field: Field,
        value: Value,
        from: Source,
    ) {
        let house: House = serde_json::from_value(house).unwrap();
        let mut all: Vec<Group> =
            groups.iter().map(|(name, policy)| group(name, policy.clone())).collect();
        let own: Vec<String> = groups.iter().map(|(name, _)| (*name).to_owned()).collect();
        // Somebody else's group says nothing.
        all.push(group(
            "others",
            json!({ "models_on_server": ["secret"], "tokens_per_day": "unlimited" }),
        ));
        let found = effects(&house, &all, role, &own);
        let found = found.iter().find(|effect| effect.field == field).unwrap();
        assert_eq!((json!(found.value), &found.from), (value, &from));
    }

    fn of(names: &[&str]) -> Source {
        Source::Groups(names.iter().map(|name| (*name).to_owned()).collect())
    }

    #[test]
    fn groups_say_otherwise_field_by_field_and_the_most_generous_counts() {
        use Field::{ChatsLeaveDevice, MakeKeys, ModelsOnServer, TokensPerDay};
        let models = |names: &[&str]| json!({ "models_on_server": names });
        let house = |rules: Value| json!({ "rules": rules });
        check(json!({}), &[], "member", ModelsOnServer, json!(["*"]), Source::Usual);
        check(house(models(&["a"])), &[], "member", ModelsOnServer, json!(["a"]), Source::House);
        check(
            house(models(&["a"])),
            &[("x", models(&["c", "b"])), ("y", models(&["b"])), ("z", json!({}))],
            "member",
            ModelsOnServer,
            json!(["b", "c"]),
            of(&["x", "y"]),
        );
        check(
            house(models(&["*"])),
            &[("x", models(&["b"]))],
            "member",
            ModelsOnServer,
            json!(["b"]),
            of(&["x"]),
        );
        check(
            house(models(&["a"])),
            &[("x", models(&["*", "b"]))],
            "member",
            ModelsOnServer,
            json!(["*"]),
            of(&["x"]),
        );
        let day = |limit: Value| json!({ "tokens_per_day": limit });
        check(house(day(json!(5))), &[], "member", TokensPerDay, json!(5), Source::House);
        check(
            house(day(json!(5))),
            &[("x", day(json!(3))), ("y", day(json!(4)))],
            "member",
            TokensPerDay,
            json!(4),
            of(&["y"]),
        );
        check(
            house(day(json!(5))),
            &[("x", day(json!("unlimited"))), ("y", day(json!(9)))],
            "member",
            TokensPerDay,
            json!("unlimited"),
            of(&["x"]),
        );
        let leave = |may: bool| json!({ "chats_leave_device": may });
        check(
            house(leave(false)),
            &[("x", leave(true))],
            "member",
            ChatsLeaveDevice,
            json!(true),
            of(&["x"]),
        );
        check(
            house(leave(false)),
            &[("x", models(&["a"]))],
            "member",
            ModelsOnServer,
            json!([]),
            Source::ChatsStay,
        );
        check(house(leave(false)), &[], "admin", MakeKeys, json!(false), Source::ChatsStay);
    }

    #[test]
    fn guests_are_held_to_what_the_house_decided() {
        use Field::{ChatsLeaveDevice, MakeKeys, ModelsOnDevice, ModelsOnServer, ShareWithGroups};
        let guests = |guests: &str| json!({ "guests": guests });
        check(guests("none"), &[], "guest", ModelsOnDevice, json!([]), Source::Guests);
        check(guests("device"), &[], "guest", ModelsOnDevice, json!(["*"]), Source::Usual);
        check(guests("device"), &[], "guest", ModelsOnServer, json!([]), Source::Guests);
        check(guests("device"), &[], "guest", ChatsLeaveDevice, json!(false), Source::Guests);
        check(guests("server"), &[], "guest", ModelsOnServer, json!(["*"]), Source::Usual);
        check(guests("server"), &[], "guest", MakeKeys, json!(false), Source::Guests);
        check(guests("server"), &[], "guest", ShareWithGroups, json!(false), Source::Guests);
        check(guests("none"), &[], "member", ModelsOnServer, json!(["*"]), Source::Usual);
    }
}
