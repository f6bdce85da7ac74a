//! Follows an operation to its end, through lost connections.

use std::time::Duration;

use sampan_proto::operation::v1::{Operation, WatchOperationRequest};
use tokio::time::Instant;
use tonic::Code;

use crate::client::{Client, Failure};
use crate::output::progress::OperationProgress;

/// Times in a row that a watch is taken up again which broke at once.
const MOST_RESUMES: u32 = 20;
/// Steps of the pause before that, and its longest.
const PAUSE: Duration = Duration::from_millis(200);
const MOST_STEPS: u32 = 10;
/// A watch that lasted so long was whole, whether or not it brought news.
const WHOLE: Duration = Duration::from_secs(1);

/// Shows the operation's progress until it ends.
///
/// Returns `None` when a person pressed Ctrl-C; the operation goes on then.
///
/// # Errors
/// [`Failure`] when the operation does not exist or the server stays away.
pub async fn watch_to_the_end(client: &Client, name: &str) -> Result<Option<Operation>, Failure> {
    let mut progress = OperationProgress::begin();
    let outcome = tokio::select! {
        outcome = follow(client, name, &mut progress) => outcome.map(Some),
        _ = tokio::signal::ctrl_c() => Ok(None),
    };
    progress.finish();
    outcome
}

async fn follow(client: &Client, name: &str, progress: &mut OperationProgress) -> Result<Operation, Failure> {
    let mut revision = 0;
    let mut patience = Patience::default();
    loop {
        let begun = Instant::now();
        let request = WatchOperationRequest { name: name.to_owned(), from_revision: Some(revision) };
        let broken = match client.operations().watch_operation(request).await {
            Ok(stream) => {
                let mut stream = stream.into_inner();
                loop {
                    match stream.message().await {
                        Ok(Some(answer)) => {
                            let operation = answer.operation.unwrap_or_default();
                            progress.show(&operation);
                            revision = operation.revision;
                            patience = Patience::default();
                            if operation.done {
                                return Ok(operation);
                            }
                        }
                        Ok(None) => break None,
                        Err(status) => break Some(status),
                    }
                }
            }
            Err(status) => Some(status),
        };
        let pause = patience.after(begun.elapsed());
        match broken {
            // Streams are cut by proxies, restarts and deadlines; the revision takes the watch up where it was.
            None => {}
            Some(status) if pause.is_some() && is_passing(status.code()) => {}
            Some(status) => return Err(status.into()),
        }
        tokio::time::sleep(pause.unwrap_or(PAUSE * MOST_STEPS)).await;
    }
}

/// Counts the watches in a row that broke at once.
#[derive(Debug, Default)]
struct Patience {
    broken: u32,
}

impl Patience {
    /// Returns the pause after a watch that lasted so long; `None` when it has been enough.
    fn after(&mut self, lasted: Duration) -> Option<Duration> {
        // Proxies cut a stream on which nothing is said, and an operation may have no news for hours.
        self.broken = if lasted >= WHOLE { 1 } else { self.broken + 1 };
        (self.broken <= MOST_RESUMES).then(|| PAUSE * self.broken.min(MOST_STEPS))
    }
}

/// Returns whether a call may go through when it is made again.
pub(super) fn is_passing(code: Code) -> bool {
    matches!(code, Code::Unavailable | Code::Cancelled | Code::DeadlineExceeded | Code::Unknown | Code::Internal)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_watch_that_breaks_at_once_again_and_again_is_given_up() {
        let mut patience = Patience::default();
        let pauses: Vec<_> = std::iter::from_fn(|| patience.after(Duration::ZERO)).take(100).collect();
        assert_eq!((pauses.len(), pauses[0], pauses[19]), (20, PAUSE, PAUSE * 10));
    }

    #[test]
    fn a_watch_without_news_that_a_proxy_cuts_every_minute_is_taken_up_for_hours() {
        let mut patience = Patience::default();
        assert!((0..1000).all(|_| patience.after(Duration::from_secs(60)) == Some(PAUSE)));
    }
}
