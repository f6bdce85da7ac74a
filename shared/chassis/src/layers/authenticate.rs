//! Finds out who calls, and refuses whoever cannot say. What a caller may do is asked by the services.
//!
//! A bearer token names the caller when there is one, because the certificate of a mesh names only the workload that
//! carries the call. Without a token it is the client that a trusted proxy names, else the certificate itself.

use std::sync::Arc;

use http::header::AUTHORIZATION;
use http::{Extensions, HeaderMap, Request, Response};
use sampan_core::Reason;
use tonic::Status;
use tonic::body::Body;

use super::around::{Around, Next};
use super::path::CallKind;
use super::per_caller::Counted;
use crate::auth::{Access, Auth, Identity, Proof, proxy};
use crate::server::connection::RemoteEnd;
use crate::status::Problem;

/// Names the caller that another role of Sampan works for. From anybody else it is ignored.
pub const ON_BEHALF_OF: &str = "x-sampan-on-behalf-of";

tokio::task_local! {
    static CURRENT: String;
}

/// Returns the caller of the call that the current task works on; `None` outside of calls and for nobody.
pub(crate) fn current() -> Option<String> {
    CURRENT.try_with(Clone::clone).ok().filter(|caller| !caller.is_empty())
}

/// The layer.
#[derive(Debug, Clone)]
pub struct Authenticate(Arc<Auth>);

impl Authenticate {
    /// Asks callers for what `auth` says.
    pub fn new(auth: Arc<Auth>) -> Self {
        Self(auth)
    }
}

impl Around for Authenticate {
    async fn around<N: Next>(&self, mut request: Request<Body>, next: N) -> Response<Body> {
        // A probe has no identity; what health tells is no secret.
        if CallKind::is_health(request.uri().path()) {
            return next.run(request).await;
        }
        let identity = match identify(&self.0, request.headers(), request.extensions()).await {
            Ok(identity) => identity,
            Err(problem) => return Status::from(problem).into_http(),
        };
        if !identity.subject.is_empty() {
            tracing::Span::current().record("caller", identity.subject.as_str());
        }
        if !identity.subject.is_empty() && identity.proof != Proof::Peer {
            request.extensions_mut().insert(Counted(identity.subject.as_str().into()));
        }
        let policy = self.0.policy.as_ref().map(|file| file.current());
        let caller = identity.subject.clone();
        request.extensions_mut().insert(Access::new(identity, policy));
        CURRENT.scope(caller, next.run(request)).await
    }
}

async fn identify(auth: &Auth, headers: &HeaderMap, extensions: &Extensions) -> Result<Identity, Problem> {
    if auth.is_local {
        return Ok(Identity { subject: on_behalf_of(headers).unwrap_or_default(), proof: Proof::Peer });
    }
    let proven = prove(auth, headers, extensions).await?;
    if auth.peers.iter().any(|peer| peer.matches(&proven.subject)) {
        return Ok(Identity { subject: on_behalf_of(headers).unwrap_or(proven.subject), proof: Proof::Peer });
    }
    Ok(proven)
}

fn on_behalf_of(headers: &HeaderMap) -> Option<String> {
    let subject = std::str::from_utf8(headers.get(ON_BEHALF_OF)?.as_bytes()).ok()?;
    Some(subject.to_owned()).filter(|subject| !subject.is_empty())
}

async fn prove(auth: &Auth, headers: &HeaderMap, extensions: &Extensions) -> Result<Identity, Problem> {
    if let Some(bearer) = &auth.bearer
        && let Some(token) = bearer_token(headers)?
    {
        // Boxed: its state is large, and every call would carry room for it.
        let subject = Box::pin(bearer.subject(token)).await?;
        return Ok(Identity { subject, proof: Proof::Bearer });
    }
    let remote = RemoteEnd::of(extensions);
    let id = remote.spiffe_id().filter(|_| auth.certificates);
    if auth.proxies.trust(remote.ip(), id)
        && let Some(subject) = proxy::named_client(headers)
    {
        return Ok(Identity { subject, proof: Proof::Proxy });
    }
    match id {
        Some(subject) => Ok(Identity { subject: subject.to_owned(), proof: Proof::Certificate }),
        None if auth.is_required() => Err(Problem::new(Reason::CallerUnknown, unknown(auth))),
        None => Ok(Identity::nobody()),
    }
}

fn unknown(auth: &Auth) -> String {
    let token = auth.bearer.is_some().then_some("a bearer token in the header `authorization`");
    let certificate = auth.certificates.then_some("a client certificate with a SPIFFE id");
    let ways: Vec<_> = [token, certificate].into_iter().flatten().collect();
    match ways.as_slice() {
        [] => "the caller has not said who it is".to_owned(),
        ways => format!("the caller has not said who it is; this server takes {}", ways.join(" or ")),
    }
}

fn bearer_token(headers: &HeaderMap) -> Result<Option<&str>, Problem> {
    let Some(value) = headers.get(AUTHORIZATION) else { return Ok(None) };
    let text = value.to_str().unwrap_or_default();
    let (scheme, token) = text.split_once(' ').unwrap_or((text, ""));
    if !scheme.eq_ignore_ascii_case("bearer") || token.trim().is_empty() {
        let words = "the header `authorization` must have the form `Bearer TOKEN`";
        return Err(Problem::new(Reason::TokenRefused, words));
    }
    Ok(Some(token.trim()))
}
