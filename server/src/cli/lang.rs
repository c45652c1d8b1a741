//! Which language does the environment ask for?

use portico_shared::error::Lang;

/// German or English by `LC_ALL`, `LC_MESSAGES`, `LANG`: the first that is set, as POSIX says.
pub fn from_env() -> Lang {
    from_values(["LC_ALL", "LC_MESSAGES", "LANG"].map(|name| std::env::var(name).ok()))
}

fn from_values(values: [Option<String>; 3]) -> Lang {
    let value = values.into_iter().flatten().find(|value| !value.is_empty());
    match value {
        Some(value) if value.starts_with("de") => Lang::De,
        _ => Lang::En,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn first_set_variable_decides() {
        let of = |values: [&str; 3]| from_values(values.map(|value| Some(value.to_owned())));
        assert_eq!(of(["", "", "de_DE.UTF-8"]), Lang::De);
        assert_eq!(of(["C.UTF-8", "", "de_DE.UTF-8"]), Lang::En);
        assert_eq!(of(["", "de_AT", "en_US"]), Lang::De);
        assert_eq!(from_values([None, None, None]), Lang::En);
    }
}
