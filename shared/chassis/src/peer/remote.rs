//! Calls a peer in another process: one replica after the other takes its turn, and what may be repeated is repeated.
//!
//! Repeated are calls that change nothing (by the first word of their method), when their answer is UNAVAILABLE, and
//! any call that surely reached nobody, because no connection could be made. Everything else is told to the caller.

use std::error::Error as _;

use http::header::AUTHORIZATION;
use http::request::Parts;
use http::{HeaderValue, Request, Response};
use http_body_util::{BodyExt as _, Full, Limited};
use prost::bytes::Bytes;
use sampan_core::Reason;
use tokio::time::Instant;
use tonic::body::Body;
use tonic::transport::Channel;
use tonic::{Code, ConnectError, Status};
use tower::ServiceExt as _;

use super::addresses::{Addresses, Replica};
use super::{Error, Options, context, unavailable};
use crate::layers::path;
use crate::server::MAX_MESSAGE_BYTES;
use crate::status::Problem;

/// A message has a header of five bytes.
const MAX_BODY_BYTES: usize = MAX_MESSAGE_BYTES + 5;

/// A peer in other processes.
#[derive(Debug)]
pub(super) struct Remote {
    peer: &'static str,
    addresses: Addresses,
    options: Options,
}

/// What came of one attempt.
enum Attempt {
    /// An answer, also a refusal.
    Answered(Response<Body>),
    /// The peer answered UNAVAILABLE.
    Unavailable(Response<Body>),
    /// No connection could be made: nobody has seen the call.
    NotSent(String),
    /// The connection broke: somebody may have seen the call.
    Broken(String),
}

impl Remote {
    pub(super) fn new(peer: &'static str, urls: &[String], options: &Options) -> Result<Self, Error> {
        Ok(Self { peer, addresses: Addresses::new(peer, urls, options)?, options: options.clone() })
    }

    /// Sends a call with one message, as often as it may be sent; the caller bounds the time.
    pub(super) async fn send(&self, request: Request<Body>) -> Result<Response<Body>, Problem> {
        let started = Instant::now();
        let (mut parts, body) = request.into_parts();
        let body = self.message(body).await?;
        self.show_token(&mut parts).await?;
        let may_repeat = is_without_effect(parts.uri.path());
        let allowed = crate::layers::deadline::asked_for(&parts.headers);
        let mut schedule = self.options.retry.schedule();
        // A replica that does not answer costs no pause while there are others.
        let mut untried = self.addresses.count().saturating_sub(1);
        loop {
            let attempt = match self.addresses.pick().await {
                Some(replica) => self.attempt(&replica, parts.clone(), body.clone()).await,
                None => Attempt::NotSent("its name has no address".to_owned()),
            };
            let repeats = match &attempt {
                Attempt::Answered(_) => false,
                Attempt::NotSent(_) => true,
                Attempt::Unavailable(_) | Attempt::Broken(_) => may_repeat,
            };
            let pause = schedule.next_delay(started.elapsed(), None).filter(|_| repeats);
            let Some(pause) = pause else { return self.conclude(attempt) };
            match untried.checked_sub(1) {
                Some(left) => untried = left,
                None => tokio::time::sleep(pause).await,
            }
            if let Some(allowed) = allowed {
                context::set_timeout(&mut parts.headers, allowed.saturating_sub(started.elapsed()));
            }
        }
    }

    /// Shows the peer who this process is. A token that cannot be read is no reason to call without one.
    async fn show_token(&self, parts: &mut Parts) -> Result<(), Problem> {
        let Some(path) = &self.options.token_file else { return Ok(()) };
        let token = tokio::fs::read_to_string(path).await;
        let token =
            token.map_err(|error| unavailable(self.peer, format!("the token in {}: {error}", path.display())))?;
        let value = HeaderValue::from_str(&format!("Bearer {}", token.trim()));
        let mut value = value.map_err(|_| unavailable(self.peer, format!("{} holds no token", path.display())))?;
        value.set_sensitive(true);
        parts.headers.insert(AUTHORIZATION, value);
        Ok(())
    }

    async fn message(&self, body: Body) -> Result<Bytes, Problem> {
        let collected = Limited::new(body, MAX_BODY_BYTES).collect().await;
        collected.map(http_body_util::Collected::to_bytes).map_err(|error| {
            Problem::new(Reason::MessageTooLarge, format!("the call of {} cannot be sent: {error}", self.peer))
        })
    }

    async fn attempt(&self, replica: &Replica, parts: Parts, body: Bytes) -> Attempt {
        let request = Request::from_parts(parts, Body::new(Full::new(body)));
        let channel: Channel = replica.channel.clone();
        match channel.oneshot(request).await {
            Ok(response) if is_unavailable(&response) => {
                replica.rest();
                Attempt::Unavailable(response)
            }
            Ok(response) => Attempt::Answered(response),
            Err(error) => {
                replica.rest();
                self.addresses.doubt();
                let told = format!("{} at {}", innermost(&error), replica.address);
                if is_unsent(&error) { Attempt::NotSent(told) } else { Attempt::Broken(told) }
            }
        }
    }

    fn conclude(&self, attempt: Attempt) -> Result<Response<Body>, Problem> {
        match attempt {
            Attempt::Answered(response) | Attempt::Unavailable(response) => Ok(response),
            Attempt::NotSent(why) | Attempt::Broken(why) => Err(unavailable(self.peer, why)),
        }
    }
}

/// Tells by the first word of the method whether a call changes nothing anywhere.
fn is_without_effect(path: &str) -> bool {
    let (_, method) = path::split(path);
    ["Estimate", "Preview", "Get", "List", "Wait", "Watch"].iter().any(|word| method.starts_with(word))
}

fn is_unavailable(response: &Response<Body>) -> bool {
    Status::from_header_map(response.headers()).is_some_and(|status| status.code() == Code::Unavailable)
}

fn is_unsent(error: &tonic::transport::Error) -> bool {
    let mut source = error.source();
    while let Some(cause) = source {
        if cause.is::<ConnectError>() {
            return true;
        }
        source = cause.source();
    }
    false
}

fn innermost(error: &tonic::transport::Error) -> String {
    let mut told: &dyn std::error::Error = error;
    while let Some(source) = told.source() {
        told = source;
    }
    told.to_string()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_methods_without_effect_are_repeated() {
        for path in
            ["/sampan.billing.v1.BillingEstimatorService/EstimateExport", "/s.S/PreviewShare", "/s.S/GetOperation"]
        {
            assert!(is_without_effect(path), "{path}");
        }
        for path in
            ["/s.S/ExportImage", "/s.S/ShareImage", "/s.S/SetImageShares", "/s.S/CancelOperation", "/Estimate", ""]
        {
            assert!(!is_without_effect(path), "{path}");
        }
    }
}
