//! Decides where operations are kept.

use std::fmt;
use std::path::PathBuf;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

use super::Error;

/// Where operations are kept.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub enum StoreChoice {
    /// One durable file in a folder of this machine.
    Embedded(PathBuf),
    /// In memory: everything is forgotten at the end.
    Memory,
}

impl Default for StoreChoice {
    /// A folder of the user's, by the habit of the system: `$XDG_STATE_HOME/sampan` or `~/.local/state/sampan`.
    fn default() -> Self {
        let state = std::env::var_os("XDG_STATE_HOME").map(PathBuf::from).filter(|path| path.is_absolute());
        let home = || std::env::var_os("HOME").map(|home| PathBuf::from(home).join(".local/state"));
        let base = state.or_else(home).unwrap_or_else(|| PathBuf::from("."));
        Self::Embedded(base.join("sampan"))
    }
}

impl FromStr for StoreChoice {
    type Err = Error;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        match text.split_once(':') {
            None if text == "embedded" => Ok(Self::default()),
            None if text == "memory" => Ok(Self::Memory),
            Some(("embedded", folder)) if !folder.is_empty() => Ok(Self::Embedded(PathBuf::from(folder))),
            _ => Err(Error::Value(format!("`{text}` is no store; the stores are embedded, embedded:DIR and memory"))),
        }
    }
}

impl TryFrom<String> for StoreChoice {
    type Error = Error;

    fn try_from(text: String) -> Result<Self, Self::Error> {
        text.parse()
    }
}

impl From<StoreChoice> for String {
    fn from(choice: StoreChoice) -> Self {
        choice.to_string()
    }
}

impl fmt::Display for StoreChoice {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Embedded(folder) => write!(f, "embedded:{}", folder.display()),
            Self::Memory => f.write_str("memory"),
        }
    }
}
