//! What is shown to an upstream so that it answers? Read once at the start, never printed.

use std::fmt;
use std::path::Path;

use axum::http::HeaderValue;

use crate::config::{ConfigError, Secret};

/// `Bearer …`, marked as sensitive.
#[derive(Clone)]
pub struct Bearer(HeaderValue);

impl fmt::Debug for Bearer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Bearer(…)")
    }
}

impl Bearer {
    /// A file's path is relative to the configuration's folder.
    pub fn read(secret: &Secret, config_path: &Path) -> Result<Self, ConfigError> {
        let text = read_secret(secret, config_path)?;
        let value = HeaderValue::from_str(&format!("Bearer {text}"));
        let mut value = value
            .map_err(|_| fault(config_path, "it holds characters that no key has".to_owned()))?;
        value.set_sensitive(true);
        Ok(Self(value))
    }

    pub fn header(&self) -> HeaderValue {
        self.0.clone()
    }
}

/// What a secret says, without the blanks around it.
pub fn read_secret(secret: &Secret, config_path: &Path) -> Result<String, ConfigError> {
    let text = match secret {
        Secret::Env(name) => std::env::var(name).map_err(|_| {
            fault(config_path, format!("the environment variable {name} is not set"))
        })?,
        Secret::File(file) => {
            let path = config_path.parent().unwrap_or(Path::new("")).join(file);
            std::fs::read_to_string(&path)
                .map_err(|error| fault(config_path, format!("{}: {error}", path.display())))?
        }
    };
    Ok(text.trim().to_owned())
}

fn fault(config_path: &Path, reason: String) -> ConfigError {
    let reason = format!("a secret: {reason}");
    ConfigError::Inconsistent { path: config_path.to_owned(), reason }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_key_from_a_file_is_trimmed_and_never_shown() {
        let kept = tempfile::tempdir().unwrap();
        let folder = kept.path().join("folder");
        std::fs::create_dir_all(&folder).unwrap();
        std::fs::write(folder.join("key"), "sk-very-secret\n").unwrap();
        let config = folder.join("portico.toml");
        let bearer = Bearer::read(&Secret::File("key".into()), &config).unwrap();
        assert_eq!(bearer.header(), "Bearer sk-very-secret");
        assert!(!format!("{bearer:?} {:?}", bearer.header()).contains("secret"));
        let absent = Bearer::read(&Secret::File("absent".into()), &config).unwrap_err();
        assert!(absent.to_string().contains("absent"), "{absent}");
        let unset = Secret::Env("PORTICO_NO_SUCH_VARIABLE".into());
        assert!(Bearer::read(&unset, &config).is_err());
    }
}
