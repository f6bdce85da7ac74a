//! `sampan demo`.

use crate::cli::DemoArgs;
use crate::client::Failure;
use crate::exit::Exit;

/// Runs the demo.
///
/// # Errors
/// [`Failure`].
pub async fn demo(_args: DemoArgs) -> Result<Exit, Failure> {
    Err(Failure::new(Exit::Failed, "not built yet"))
}
