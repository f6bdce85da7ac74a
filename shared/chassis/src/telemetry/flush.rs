//! Bounds how long the end of a process waits for a collector.

use std::thread;
use std::time::Duration;

use opentelemetry_sdk::error::OTelSdkResult;
use tokio::sync::oneshot;

/// Longest wait. Not every exporter keeps to the bound that it is given.
pub(crate) const PATIENCE: Duration = Duration::from_secs(5);

/// Runs `stop`, which blocks until everything is sent; returns whether it was within [`PATIENCE`].
///
/// It gets a thread of its own, because a runtime waits at its end for whatever blocks one of its own threads.
pub(crate) async fn sent(stop: impl FnOnce() -> OTelSdkResult + Send + 'static) -> bool {
    let (done, told) = oneshot::channel();
    let started = thread::Builder::new().name("flush".to_owned()).spawn(move || {
        // Nobody listens any more when it took too long.
        let _ = done.send(stop().is_ok());
    });
    started.is_ok() && matches!(tokio::time::timeout(PATIENCE, told).await, Ok(Ok(true)))
}

#[cfg(test)]
mod tests {
    use std::sync::mpsc;

    use tokio::time::Instant;

    use super::*;

    #[tokio::test(start_paused = true)]
    async fn a_collector_that_never_answers_holds_up_the_end_no_longer_than_the_bound() {
        let (_held, never) = mpsc::channel::<()>();
        let began = Instant::now();
        let is_sent = sent(move || {
            let _ = never.recv();
            Ok(())
        });
        assert!(!is_sent.await);
        assert_eq!(began.elapsed(), PATIENCE);
    }
}
