//! What callers show of themselves: tokens, certificates, the word of a proxy.

use std::time::Duration;

use bytes::Bytes;
use http::{HeaderMap, HeaderValue};
use rustls::pki_types::CertificateDer;
use sampan_chassis::auth::bearer::{Bearer, BearerOptions};
use sampan_chassis::auth::certificate::{is_spiffe_id, not_after, spiffe_id};
use sampan_chassis::auth::keys::{Keys, Source};
use sampan_chassis::auth::proxy::{HEADER, named_client};
use sampan_cloud::stack::Transport;

use crate::scene;

/// The keys of an issuer on the first line, a token on the second.
pub(crate) fn bearer(data: &[u8]) -> bool {
    let mut lines = data.splitn(2, |byte| *byte == b'\n');
    let keys = Bytes::copy_from_slice(lines.next().unwrap_or_default());
    let Ok(token) = std::str::from_utf8(lines.next().unwrap_or_default()) else { return false };
    let transport = Transport::scripted(move |_| http::Response::new(keys.clone()));
    let options = BearerOptions {
        audiences: vec!["sampan".to_owned()],
        issuer: None,
        subject_claim: "sub".to_owned(),
        leeway: Duration::from_secs(30),
    };
    let subject = scene::without_waiting(async {
        let keys = Keys::open(Source::Url("http://issuer.localhost/keys".to_owned()), transport).await;
        Bearer::new(scene::must(keys), options, scene::clock()).subject(token.trim_end()).await
    });
    match subject {
        Ok(subject) => {
            assert!((1..=255).contains(&subject.len()) && !subject.contains(char::is_control), "{subject:?}");
            true
        }
        Err(problem) => {
            let said = format!("{problem:?}");
            let token = token.trim_end();
            assert!(token.len() < 20 || !said.contains(token), "a refusal shows the token");
            false
        }
    }
}

pub(crate) fn certificate(data: &[u8]) -> bool {
    let certificate = CertificateDer::from(data);
    let id = spiffe_id(&certificate);
    assert!(id.as_deref().is_none_or(is_spiffe_id), "{id:?}");
    not_after(&certificate).is_some() && id.is_some()
}

/// Each line is the header of one proxy.
pub(crate) fn forwarded_client(data: &[u8]) -> bool {
    let mut headers = HeaderMap::new();
    for line in data.split(|byte| *byte == b'\n') {
        if let Ok(value) = HeaderValue::from_bytes(line) {
            headers.append(HEADER, value);
        }
    }
    let id = named_client(&headers);
    assert!(id.as_deref().is_none_or(is_spiffe_id), "{id:?}");
    id.is_some()
}
