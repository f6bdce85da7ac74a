//! Doors for fuzzing: what reads files that others have written. A broken promise panics.

use std::ffi::OsString;

use sampan_core::limits::Limits;

use crate::config::{Config, Error};
pub use crate::download::fuzzing::{counted, unpack};

/// Reads a configuration with an environment over it; what `--print-config` shows of it is one again.
///
/// # Errors
/// What `sampan serve` says of it.
pub fn configure(file: &str, environment: impl Iterator<Item = (OsString, OsString)>) -> Result<(), String> {
    let words = |error: Error| error.to_string();
    let config = Config::parse(Some(("sampan.toml", file)), environment).map_err(words)?;
    let shown = config.redacted().map_err(words)?;
    let again = Config::parse(Some(("shown", &shown)), std::iter::empty());
    assert!(again.is_ok(), "what is printed is no configuration: {again:?}\n{shown}");
    drop(Limits::load(&config.limits));
    Ok(())
}
