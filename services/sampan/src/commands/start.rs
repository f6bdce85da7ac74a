//! Starts an operation surely: an answer that was lost on its way is asked for again, with the same request id.

use std::time::Duration;

use tonic::{Response, Status};

use super::watch::is_passing;
use crate::client::Failure;

/// Times that a start is sent; the pauses between them grow from this one.
const MOST_ATTEMPTS: u32 = 5;
const PAUSE: Duration = Duration::from_millis(200);

/// Sends a start until it is answered, five times at most, within about two seconds.
///
/// - `request_id`: that of the start; because of it, a repetition starts nothing new.
/// - `call`: sends the start.
///
/// # Errors
/// [`Failure`] when it is refused, or not answered at last; then it names the request id.
pub(super) async fn surely<T>(
    request_id: &str,
    call: impl AsyncFn() -> Result<Response<T>, Status>,
) -> Result<T, Failure> {
    let mut attempt = 1;
    loop {
        match call().await {
            Ok(answer) => return Ok(answer.into_inner()),
            Err(status) if !is_passing(status.code()) => return Err(status.into()),
            Err(_) if attempt < MOST_ATTEMPTS => {}
            Err(status) => {
                let mut failure = Failure::from(status);
                failure.details.push(format!("to try again without starting twice: --request-id {request_id}"));
                return Err(failure);
            }
        }
        tokio::time::sleep(PAUSE * attempt).await;
        attempt += 1;
    }
}

#[cfg(test)]
mod tests {
    use std::cell::Cell;

    use sampan_core::Reason;

    use super::*;

    fn refusal(reason: Reason) -> Status {
        sampan_chassis::status::Problem::new(reason, "no").into()
    }

    #[tokio::test(start_paused = true)]
    async fn a_start_that_is_not_answered_is_sent_again_and_at_last_names_its_request_id() {
        let sent = Cell::new(0);
        let call = async || {
            sent.set(sent.get() + 1);
            if sent.get() < 3 { Err(refusal(Reason::ShuttingDown)) } else { Ok(Response::new(sent.get())) }
        };
        assert_eq!(surely("id", call).await.unwrap(), 3);
        sent.set(-9);
        let failure = surely("the-id", call).await.unwrap_err();
        assert!(failure.details.iter().any(|line| line.ends_with("--request-id the-id")), "{failure:?}");
        assert_eq!(sent.get(), -4);
    }

    #[tokio::test(start_paused = true)]
    async fn a_start_that_is_refused_is_sent_once() {
        let sent = Cell::new(0);
        let call = async || {
            sent.set(sent.get() + 1);
            Err::<Response<()>, _>(refusal(Reason::QuotaSpent))
        };
        assert!(surely("id", call).await.unwrap_err().details.is_empty());
        assert_eq!(sent.get(), 1);
    }
}
