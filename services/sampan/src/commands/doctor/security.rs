//! Listener, certificates, keys of tokens, policy.

use std::net::SocketAddr;
use std::path::Path;
use std::time::Duration;

use jiff::{SignedDuration, Timestamp};
use rustls::pki_types::CertificateDer;
use rustls::pki_types::pem::PemObject as _;
use sampan_chassis::auth::certificate::not_after;
use sampan_core::clock;

use super::{Examined, Finding, Wrong};
use crate::output::words;
use crate::wiring::open_guard;

/// A certificate that ends sooner is told.
const SOON: SignedDuration = SignedDuration::from_hours(14 * 24);

pub(super) async fn check(examined: &Examined<'_>) -> Vec<Finding> {
    let config = examined.config;
    let mut findings = vec![Finding::new("listener", &config.server.listen, listener(examined))];
    let guard = async {
        let guard = open_guard(config, &clock::system()).await;
        guard.map_err(|failure| Wrong::of(&failure, "correct the sections [tls] and [auth]"))
    };
    let read = examined.within(guard).await.map(|guard| {
        let tls = if guard.tls.is_some() { "TLS" } else { "no TLS" };
        let callers = if guard.auth.is_required() { "callers say who they are" } else { "callers are not told apart" };
        let policy = if guard.auth.policy.is_some() { "a policy says what they may do" } else { "no policy" };
        format!("{tls}; {callers}; {policy}")
    });
    findings.push(Finding::new("security", "[tls] and [auth]", read));
    let now = clock::system().now();
    for path in [&config.tls.cert_file, &config.peers.cert_file].into_iter().flatten() {
        findings.push(Finding::new("certificate", path.display().to_string(), certificate(path, now)));
    }
    findings
}

fn listener(examined: &Examined<'_>) -> Result<String, Wrong> {
    let server = &examined.config.server;
    let address: SocketAddr =
        server.listen.parse().map_err(|_| Wrong::new("it is no address", "use the form 127.0.0.1:7500"))?;
    let is_secured = examined.config.tls.cert_file.is_some();
    match (address.ip().to_canonical().is_loopback(), is_secured) {
        (true, _) => Ok("only this machine reaches it".to_owned()),
        (false, true) => Ok("others reach it, by TLS".to_owned()),
        (false, false) if server.insecure => Ok("others reach it without TLS, as insecure = true permits".to_owned()),
        (false, false) => Err(Wrong::new(
            "others reach it and it has no TLS: `serve` will refuse to start",
            "set tls.cert_file and tls.key_file, listen on 127.0.0.1, or set insecure = true behind a proxy with TLS",
        )),
    }
}

fn certificate(path: &Path, now: Timestamp) -> Result<String, Wrong> {
    let unreadable = |what: String| Wrong::new(what, "put a certificate in PEM there, the own one first");
    let mut chain = CertificateDer::pem_file_iter(path).map_err(|error| unreadable(error.to_string()))?;
    let own = chain.next().and_then(Result::ok).ok_or_else(|| unreadable("no certificate in it".to_owned()))?;
    let end = not_after(&own).ok_or_else(|| unreadable("its end cannot be read".to_owned()))?;
    let left = end.duration_since(now);
    let days = words::duration(Duration::try_from(left.abs()).unwrap_or_default());
    if left.is_negative() {
        return Err(Wrong::new(format!("expired {days} ago, {end}"), "renew it; the server reads it again by itself"));
    }
    if left < SOON {
        return Err(Wrong::new(format!("ends in {days}, {end}"), "renew it; the server reads it again by itself"));
    }
    Ok(format!("good until {end}"))
}
