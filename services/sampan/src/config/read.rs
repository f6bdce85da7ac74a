//! Reads the configuration file and explains what is wrong with it.

use std::ffi::OsString;
use std::path::Path;

use toml::Table;

use super::{Config, environment};

/// A configuration that cannot be used.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Error {
    /// The file cannot be read.
    #[error("the configuration file {path} cannot be read: {message}")]
    Unreadable {
        /// The file.
        path: String,
        /// What the system said.
        message: String,
    },
    /// The file has a wrong key or value.
    #[error("{path}: {message}")]
    Malformed {
        /// The file.
        path: String,
        /// Where and what.
        message: String,
    },
    /// A value is not one of those that there are.
    #[error("{0}")]
    Value(String),
}

/// Reads a file; returns its name, for messages, and its text.
pub(super) fn file(path: &Path) -> Result<(String, String), Error> {
    let shown = path.display().to_string();
    match std::fs::read_to_string(path) {
        Ok(text) => Ok((shown, text)),
        Err(error) => Err(Error::Unreadable { path: shown, message: error.to_string() }),
    }
}

fn config(path: &str, text: &str) -> Result<Config, Error> {
    toml::from_str(text).map_err(|error| malformed(path, text, &error))
}

fn malformed(path: &str, text: &str, error: &toml::de::Error) -> Error {
    let message = error.message();
    let line =
        error.span().map_or(1, |span| text.get(..span.start).map_or(1, |before| before.matches('\n').count() + 1));
    // The reader's own display quotes the line, which may hold a secret; only its number is told.
    Error::Malformed { path: path.to_owned(), message: format!("line {line}: {message}{}", nearest(message)) }
}

/// Reads the text of a file, if there is one, and lays the environment over it.
pub(super) fn layered(
    file: Option<(&str, &str)>,
    variables: impl Iterator<Item = (OsString, OsString)>,
) -> Result<Config, Error> {
    let mut table = Table::new();
    if let Some((path, text)) = file {
        // The file alone must be right: a mistake in it is told with its line.
        config(path, text)?;
        table = text.parse().map_err(|error| malformed(path, text, &error))?;
    }
    environment::lay_over(&mut table, variables)?;
    let config: Config = table.try_into().map_err(|error: toml::de::Error| {
        let message = error.message();
        Error::Value(format!("a variable SAMPAN_…__… does not fit: {message}{}", nearest(message)))
    })?;
    config.server.check()?;
    Ok(config)
}

/// Returns `; did you mean …?` for an unknown key that is close to a known one.
fn nearest(message: &str) -> String {
    let mut quoted = message.split('`').skip(1).step_by(2);
    let Some(wrong) = quoted.next().filter(|_| message.starts_with("unknown field")) else { return String::new() };
    let best = quoted.map(|known| (strsim::damerau_levenshtein(wrong, known), known)).min();
    match best {
        Some((distance, known)) if distance <= 3 => format!("; did you mean `{known}`?"),
        _ => String::new(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(text: &str) -> Result<Config, Error> {
        config("sampan.toml", text)
    }

    #[test]
    fn an_unknown_key_is_refused_with_the_nearest_name_and_its_line() {
        let error = read("[server]\nlisten = \"127.0.0.1:1\"\nrolls = []\n").expect_err("refused").to_string();
        assert!(error.contains("line 3") && error.contains("did you mean `roles`?"), "{error}");
    }

    #[test]
    fn a_wrong_value_never_shows_the_line_of_the_file() {
        let text = "[accounts.prod]\ncloud = \"tencent\"\ncredentials = { source = \"static\", access_key_id = \"a\", access_key_secret = 5 } # hush\n";
        let error = read(text).expect_err("refused").to_string();
        assert!(!error.contains("hush"), "{error}");
    }

    #[test]
    fn a_printed_configuration_holds_no_secret() {
        let text = "[accounts.prod]\ncloud = \"tencent\"\n[accounts.prod.credentials]\nsource = \"static\"\naccess_key_id = \"AKID\"\naccess_key_secret = \"hush\"\nsecurity_token = \"hush-too\"\n";
        let printed = read(text).expect("readable").redacted().expect("printable");
        assert!(!printed.contains("hush") && printed.contains("***"), "{printed}");
    }
}
