//! Makes the places that keep audit records.

use std::sync::Arc;

use sampan_chassis::audit::{AuditFile, Collector, Places};
use tokio::signal::unix::{SignalKind, signal};
use tokio_util::sync::CancellationToken;

use crate::client::Failure;
use crate::config::Config;
use crate::exit::Exit;
use crate::serve;

/// Opens the file and connects the collector, as far as they are configured.
///
/// # Errors
/// [`Failure`] that names the file or the address.
pub fn open_audit(config: &Config) -> Result<Option<Arc<Places>>, Failure> {
    let file = config.audit.file.as_deref().map(|path| {
        AuditFile::open(path).map_err(|error| {
            Failure::new(Exit::Usage, format!("the audit file {} cannot be opened: {error}", path.display()))
                .advice("make its folder, or correct audit.file")
        })
    });
    let collector = config.telemetry.otlp_endpoint.as_deref().map(|endpoint| {
        Collector::open(endpoint, &serve::service_name(config)).map_err(|error| {
            Failure::new(Exit::Usage, format!("cannot send audit records to {endpoint}: {error}"))
                .advice("correct telemetry.otlp_endpoint")
        })
    });
    let places = Places { file: file.transpose()?, collector: collector.transpose()? };
    Ok((!places.is_empty()).then(|| Arc::new(places)))
}

/// Opens the file anew at every SIGHUP, until `stop`; without this the signal would end the process.
pub async fn reopen_on_hangup(places: Arc<Places>, stop: CancellationToken) {
    let Ok(mut hangup) = signal(SignalKind::hangup()) else { return };
    while stop.run_until_cancelled(hangup.recv()).await.flatten().is_some() {
        if let Some(file) = &places.file {
            file.reopen();
        }
    }
}
