//! What the targets stand on: accounts, limits, a clock that stands, and runtimes.

use std::sync::{Arc, Mutex, OnceLock, PoisonError};

use bytes::Bytes;
use http::{HeaderName, HeaderValue, Response, StatusCode};
use jiff::Timestamp;
use sampan_cloud::stack::{CallPolicy, Transport};
use sampan_cloud::{Account, Accounts, Clients};
use sampan_cloud_alibaba::{AlibabaCloud, AlibabaConfig};
use sampan_cloud_tencent::credentials::CredentialSource;
use sampan_cloud_tencent::{TencentCloud, TencentConfig};
use sampan_core::clock::ManualClock;
use sampan_core::limits::{LimitChoices, Limits};
use sampan_core::retry::RetryPolicy;
use sampan_core::{Cloud, SharedClock};
use tokio::runtime::{Builder, Runtime};

/// More requests than any one question to a cloud needs.
const MOST_REQUESTS: usize = 2_000;

/// Noon of a day.
pub(crate) fn clock() -> SharedClock {
    Arc::new(ManualClock::new(now()))
}

pub(crate) fn now() -> Timestamp {
    Timestamp::from_second(1_795_233_600).unwrap_or_default()
}

pub(crate) fn limits() -> Arc<Limits> {
    static LIMITS: OnceLock<Arc<Limits>> = OnceLock::new();
    Arc::clone(LIMITS.get_or_init(|| Arc::new(must(Limits::load(&LimitChoices::default())))))
}

/// Two accounts whose clouds answer nothing of use.
pub(crate) fn accounts() -> Accounts {
    let transport = Transport::scripted(|_| response(b"503\n\n"));
    let tencent = tencent(CredentialSource::Static {
        secret_id: "AKIDz8krbsJ5yKBZQpn74WFkmLPx3EXAMPLE".into(),
        secret_key: "Gu5t9xGARNpq86cd98joQYCN3EXAMPLE".into(),
        token: None,
    });
    let tencent = TencentCloud::open(TencentConfig { transport: transport.clone(), ..tencent });
    let alibaba = must(AlibabaCloud::open(AlibabaConfig { transport, ..alibaba(alibaba_keys()) }));
    [("prod-cn", Cloud::Tencent, tencent), ("prod-ali", Cloud::Alibaba, alibaba)]
        .into_iter()
        .map(|(name, cloud, Clients { images, copies, shares, buckets })| Account {
            name: must(name.parse()),
            cloud,
            number: Some("100012345678".to_owned()),
            images,
            copies,
            shares,
            buckets,
        })
        .collect()
}

pub(crate) fn tencent(credentials: CredentialSource) -> TencentConfig {
    TencentConfig { policy: one_attempt(), ..TencentConfig::new(credentials, clock()) }
}

pub(crate) fn alibaba(credentials: sampan_cloud_alibaba::CredentialSource) -> AlibabaConfig {
    AlibabaConfig { policy: one_attempt(), ..AlibabaConfig::new(credentials, clock()) }
}

pub(crate) fn alibaba_keys() -> sampan_cloud_alibaba::CredentialSource {
    sampan_cloud_alibaba::CredentialSource::Static {
        access_key_id: "LTAItestid".to_owned(),
        access_key_secret: "testsecret".into(),
        security_token: None,
    }
}

/// Repeating is the stack's, and is tested there; here it would be the same bytes again.
fn one_attempt() -> CallPolicy {
    CallPolicy { retry: RetryPolicy { max_attempts: 1, ..RetryPolicy::default() }, ..CallPolicy::default() }
}

/// A cloud that gives the answers in `text` one after the other, the last one for ever. A line `%%` ends an answer.
pub(crate) fn script(text: &[u8]) -> Transport {
    let mut answers: Vec<Response<Bytes>> = split_lines(text, b"%%").into_iter().map(response).collect();
    answers.reverse();
    let state = Mutex::new((answers, 0));
    Transport::scripted(move |_| {
        let mut state = state.lock().unwrap_or_else(PoisonError::into_inner);
        let (answers, asked) = &mut *state;
        *asked += 1;
        assert!(*asked <= MOST_REQUESTS, "one question to a cloud became more than {MOST_REQUESTS} requests");
        let next = if answers.len() > 1 { answers.pop() } else { answers.last().cloned() };
        next.unwrap_or_default()
    })
}

/// Cuts at the lines that are `mark`.
fn split_lines<'t>(text: &'t [u8], mark: &[u8]) -> Vec<&'t [u8]> {
    let mut parts = Vec::new();
    let mut start = 0;
    let mut at = 0;
    for line in text.split_inclusive(|byte| *byte == b'\n') {
        if line.strip_suffix(b"\n") == Some(mark) {
            parts.push(text.get(start..at).unwrap_or_default());
            start = at + line.len();
        }
        at += line.len();
    }
    parts.push(text.get(start..).unwrap_or_default());
    parts
}

/// Reads a status, lines of headers, an empty line and a body. What is no status counts as 200, what is no header is
/// left out: a client library would not let it pass either.
pub(crate) fn response(text: &[u8]) -> Response<Bytes> {
    let (head, body) = head_and_rest(text);
    let mut lines = head.split(|byte| *byte == b'\n');
    let status = lines.next().and_then(|line| StatusCode::from_bytes(line).ok()).unwrap_or(StatusCode::OK);
    let mut response = Response::new(Bytes::copy_from_slice(body));
    *response.status_mut() = status;
    for (name, value) in lines.filter_map(header) {
        response.headers_mut().append(name, value);
    }
    response
}

pub(crate) fn header(line: &[u8]) -> Option<(HeaderName, HeaderValue)> {
    let colon = line.iter().position(|byte| *byte == b':')?;
    let (name, value) = line.split_at_checked(colon)?;
    let value = value.get(1..)?.trim_ascii();
    Some((HeaderName::from_bytes(name).ok()?, HeaderValue::from_bytes(value).ok()?))
}

/// Cuts at the first empty line.
pub(crate) fn head_and_rest(text: &[u8]) -> (&[u8], &[u8]) {
    match text.windows(2).position(|pair| pair == b"\n\n") {
        Some(at) => (text.get(..at).unwrap_or_default(), text.get(at + 2..).unwrap_or_default()),
        None => (text, &[]),
    }
}

/// Runs `work` on a runtime whose time passes as fast as nothing is to be done.
pub(crate) fn without_waiting<T>(work: impl Future<Output = T>) -> T {
    must(Builder::new_current_thread().enable_time().start_paused(true).build()).block_on(work)
}

/// Returns a runtime whose time is real, for what waits for threads.
pub(crate) fn runtime() -> Runtime {
    must(Builder::new_current_thread().enable_all().build())
}

/// Takes what cannot fail unless the target itself is wrong.
pub(crate) fn must<T, E: std::fmt::Debug>(outcome: Result<T, E>) -> T {
    match outcome {
        Ok(value) => value,
        Err(error) => panic!("the target is wrong: {error:?}"),
    }
}
