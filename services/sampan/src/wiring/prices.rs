//! Loads the prices of the estimator.

use std::path::Path;

use sampan_billing_service::PriceBook;

use crate::client::Failure;
use crate::exit::Exit;

/// Loads the built-in prices, and those of a file on top or in place of them.
///
/// # Errors
/// [`Failure`] that names the file and its wrong rows.
pub fn load_prices(file: Option<&Path>, only_file: bool) -> Result<PriceBook, Failure> {
    let Some(path) = file else {
        if only_file {
            return Err(Failure::new(Exit::Usage, "only the prices of a file are to be used, and no file is named"));
        }
        return PriceBook::built_in().map_err(|error| Failure::new(Exit::Failed, error.to_string()));
    };
    let text = std::fs::read_to_string(path)
        .map_err(|error| Failure::new(Exit::Usage, format!("cannot read {}: {error}", path.display())))?;
    let name = path.file_name().map_or_else(|| path.display().to_string(), |name| name.to_string_lossy().into_owned());
    let load = if only_file { PriceBook::replaced } else { PriceBook::extended };
    load(&name, &text).map_err(|error| Failure::new(Exit::Usage, error.to_string()))
}
