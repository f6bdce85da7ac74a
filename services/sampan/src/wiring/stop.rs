//! Waits until the process is told to stop.

use tokio::signal::unix::{SignalKind, signal};

/// Returns when Ctrl-C was pressed or SIGTERM arrived.
pub async fn stop_signal() {
    let Ok(mut terminate) = signal(SignalKind::terminate()) else {
        // Without the handler, SIGTERM ends the process at once, and Ctrl-C is what is left to wait for.
        let _ = tokio::signal::ctrl_c().await;
        return;
    };
    tokio::select! {
        _ = tokio::signal::ctrl_c() => {}
        _ = terminate.recv() => {}
    }
}
