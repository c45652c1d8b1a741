//! What does PostgreSQL, or the way to it, say when it fails?

use std::error::Error as _;
use std::fmt::Write as _;

use postgres::error::SqlState;

#[derive(Debug, thiserror::Error)]
#[error("{text}")]
pub struct Failure {
    text: String,
    kind: Kind,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Kind {
    Statement,
    DiskFull,
    /// The server is not there, ends, or does not let the house in.
    Unreachable,
}

impl Failure {
    pub fn lost() -> Self {
        Self { text: "the connection is closed".to_owned(), kind: Kind::Unreachable }
    }

    /// Whatever keeps the house from connecting.
    pub fn of_connecting(error: postgres::Error) -> Self {
        Self { kind: Kind::Unreachable, ..Self::from(error) }
    }

    pub fn is_disk_full(&self) -> bool {
        self.kind == Kind::DiskFull
    }

    pub fn is_unreachable(&self) -> bool {
        self.kind == Kind::Unreachable
    }
}

impl From<postgres::Error> for Failure {
    fn from(error: postgres::Error) -> Self {
        let Some(said) = error.as_db_error() else {
            let mut text = error.to_string();
            let mut cause = error.source();
            while let Some(next) = cause {
                // Infallible: a text.
                let _ = write!(text, ": {next}");
                cause = next.source();
            }
            let kind = match IN_STATEMENTS.iter().any(|start| text.starts_with(start)) {
                true => Kind::Statement,
                false => Kind::Unreachable,
            };
            return Self { text, kind };
        };
        // No detail: it may quote what people wrote.
        let text = format!("{} ({})", said.message(), said.code().code());
        Self { text, kind: kind_of(said.code()) }
    }
}

/// What the client itself finds wrong with a statement, a value or a row; the rest lies in the way to the
/// server.
const IN_STATEMENTS: [&str; 5] =
    ["error serializing", "error deserializing", "expected", "invalid column", "query returned"];

fn kind_of(code: &SqlState) -> Kind {
    match code.code() {
        "53100" => Kind::DiskFull,
        // Connections and rights to connect, shutdown, no such database, too many connections.
        code if ["08", "28", "57P", "3D", "53300"].iter().any(|class| code.starts_with(class)) => {
            Kind::Unreachable
        }
        _ => Kind::Statement,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_server_that_ends_is_away_and_a_full_disk_is_one() {
        assert_eq!(kind_of(&SqlState::ADMIN_SHUTDOWN), Kind::Unreachable);
        assert_eq!(kind_of(&SqlState::INVALID_PASSWORD), Kind::Unreachable);
        assert_eq!(kind_of(&SqlState::TOO_MANY_CONNECTIONS), Kind::Unreachable);
        assert_eq!(kind_of(&SqlState::DISK_FULL), Kind::DiskFull);
        assert_eq!(kind_of(&SqlState::UNIQUE_VIOLATION), Kind::Statement);
    }
}
