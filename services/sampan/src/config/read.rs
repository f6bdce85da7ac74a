//! Reads the configuration file and explains what is wrong with it.

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

pub(super) fn file(path: &Path) -> Result<Config, Error> {
    let shown = path.display().to_string();
    let text = std::fs::read_to_string(path)
        .map_err(|error| Error::Unreadable { path: shown.clone(), message: error.to_string() })?;
    toml::from_str(&text).map_err(|error| {
        let message = error.message();
        let line =
            error.span().map_or(1, |span| text.get(..span.start).map_or(1, |before| before.matches('\n').count() + 1));
        // The reader's own display quotes the line, which may hold a secret; only its number is told.
        Error::Malformed { path: shown, message: format!("line {line}: {message}{}", nearest(message)) }
    })
}

/// Reads the file, if there is one, and lays the environment over it.
pub(super) fn with_environment(
    path: Option<&Path>,
    variables: impl Iterator<Item = (String, String)>,
) -> Result<Config, Error> {
    let mut table = Table::new();
    if let Some(path) = path {
        // The file alone must be right: a mistake in it is told with its line.
        file(path)?;
        let text = std::fs::read_to_string(path)
            .map_err(|error| Error::Unreadable { path: path.display().to_string(), message: error.to_string() })?;
        table = text.parse().map_err(|_| Error::Value(format!("{} has changed while it was read", path.display())))?;
    }
    environment::lay_over(&mut table, variables)?;
    table.try_into().map_err(|error: toml::de::Error| {
        let message = error.message();
        Error::Value(format!("a variable SAMPAN_…__… does not fit: {message}{}", nearest(message)))
    })
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
        let folder = tempfile::tempdir().expect("a folder");
        let path = folder.path().join("sampan.toml");
        std::fs::write(&path, text).expect("written");
        file(&path)
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
