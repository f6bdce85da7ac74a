//! Decides where operations are kept.

use std::fmt;
use std::path::PathBuf;
use std::str::FromStr;

use sampan_state::RedisUrl;
use sampan_state::redis::OpenError;
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
    /// Redis, shared by any number of processes.
    Redis(Box<RedisUrl>),
}

/// Forms of a store, for messages.
const STORES: &str = "embedded, embedded:DIR, memory, redis://…, rediss://…, redis+sentinel://… and redis+cluster://…";

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
        if RedisUrl::is_one(text) {
            let url = text.parse().map_err(|error: OpenError| Error::Value(error.to_string()))?;
            return Ok(Self::Redis(Box::new(url)));
        }
        match text.split_once(':') {
            None if text == "embedded" => Ok(Self::default()),
            None if text == "memory" => Ok(Self::Memory),
            Some(("embedded", folder)) if !folder.is_empty() => Ok(Self::Embedded(PathBuf::from(folder))),
            // The text is not shown: it may be a URL with a password and a slip in its scheme.
            Some((scheme, rest)) if rest.starts_with("//") => {
                Err(Error::Value(format!("`{scheme}://…` is no store; the stores are {STORES}")))
            }
            _ => Err(Error::Value(format!("`{text}` is no store; the stores are {STORES}"))),
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
            Self::Redis(url) => url.fmt(f),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_form_of_a_store_is_read() {
        assert_eq!("memory".parse::<StoreChoice>().unwrap(), StoreChoice::Memory);
        assert!(
            matches!("embedded:/d".parse::<StoreChoice>().unwrap(), StoreChoice::Embedded(folder) if folder.ends_with("d"))
        );
        for url in ["redis://h", "rediss://h:1/2", "redis+sentinel://a,b/main", "redis+cluster://a,b?prefix=p"] {
            assert!(matches!(url.parse::<StoreChoice>().unwrap(), StoreChoice::Redis(_)), "{url}");
        }
    }

    #[test]
    fn a_password_is_in_no_message() {
        let shown = "redis://app:s3cret@h".parse::<StoreChoice>().unwrap().to_string();
        assert_eq!(shown, "redis://app:***@h:6379?prefix=sampan");
        for wrong in ["redsi://app:s3cret@h", "redis://app:s3cret@h:x", "redis://app:s3cret@h/x?prefix="] {
            let message = wrong.parse::<StoreChoice>().unwrap_err().to_string();
            assert!(!message.contains("s3cret"), "{message}");
        }
    }
}
