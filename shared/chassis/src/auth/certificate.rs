//! Decides which SPIFFE id a client certificate carries, and when a certificate ends. That a caller's certificate is to
//! be trusted was decided by the listener, at the handshake.

use std::time::Duration;

use jiff::Timestamp;
use rustls::pki_types::{CertificateDer, UnixTime};
use webpki::{EndEntityCert, Error, KeyUsage};

/// Later than the end of any certificate: X.509 has no year 10000.
const AFTER_ALL: UnixTime = UnixTime::since_unix_epoch(Duration::from_secs(253_402_300_800));

/// Returns the SPIFFE id of a certificate; `None` unless exactly one of its names is a SPIFFE id.
///
/// Source: SPIFFE X.509-SVID, section 2 (an SVID has exactly one URI name).
pub fn spiffe_id(certificate: &CertificateDer<'_>) -> Option<String> {
    let certificate = EndEntityCert::try_from(certificate).ok()?;
    let mut ids = certificate.valid_uri_names().filter(|name| is_spiffe_id(name));
    let id = ids.next()?.to_owned();
    ids.next().is_none().then_some(id)
}

/// Returns when a certificate ends; `None` when it cannot be read.
pub fn not_after(certificate: &CertificateDer<'_>) -> Option<Timestamp> {
    let certificate = EndEntityCert::try_from(certificate).ok()?;
    // The check of the time comes before the search for an authority, and tells the end.
    match certificate.verify_for_usage(&[], &[], &[], AFTER_ALL, KeyUsage::server_auth(), None, None) {
        Err(Error::CertExpired { not_after, .. }) => {
            Timestamp::from_second(i64::try_from(not_after.as_secs()).ok()?).ok()
        }
        Ok(_) | Err(_) => None,
    }
}

/// Returns whether `text` has the form `spiffe://trust-domain/path`.
pub fn is_spiffe_id(text: &str) -> bool {
    let Some(rest) = text.strip_prefix("spiffe://") else { return false };
    let (domain, path) = rest.split_once('/').unwrap_or((rest, ""));
    let is_domain = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || matches!(c, '.' | '-' | '_');
    let is_path = |c: char| c.is_ascii_alphanumeric() || matches!(c, '.' | '-' | '_' | '/');
    text.len() <= 2048 && !domain.is_empty() && domain.chars().all(is_domain) && path.chars().all(is_path)
}
