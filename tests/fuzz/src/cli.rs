//! The part of the command line that the configuration looks at.

use std::path::PathBuf;

/// Flags of a server.
#[derive(Debug, Default)]
pub(crate) struct ServeArgs {
    pub(crate) roles: Vec<String>,
    pub(crate) listen: Option<String>,
    pub(crate) store: Option<String>,
    pub(crate) config: Option<PathBuf>,
}
