//! Decides which SPIFFE id a client certificate carries. That the certificate is to be trusted was decided by the
//! listener, at the handshake.

use rustls::pki_types::CertificateDer;
use webpki::EndEntityCert;

/// Returns the SPIFFE id of a certificate; `None` unless exactly one of its names is a SPIFFE id.
///
/// Source: SPIFFE X.509-SVID, section 2 (an SVID has exactly one URI name).
pub fn spiffe_id(certificate: &CertificateDer<'_>) -> Option<String> {
    let certificate = EndEntityCert::try_from(certificate).ok()?;
    let mut ids = certificate.valid_uri_names().filter(|name| is_spiffe_id(name));
    let id = ids.next()?.to_owned();
    ids.next().is_none().then_some(id)
}

/// Returns whether `text` has the form `spiffe://trust-domain/path`.
pub fn is_spiffe_id(text: &str) -> bool {
    let Some(rest) = text.strip_prefix("spiffe://") else { return false };
    let (domain, path) = rest.split_once('/').unwrap_or((rest, ""));
    let is_domain = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || matches!(c, '.' | '-' | '_');
    let is_path = |c: char| c.is_ascii_alphanumeric() || matches!(c, '.' | '-' | '_' | '/');
    text.len() <= 2048 && !domain.is_empty() && domain.chars().all(is_domain) && path.chars().all(is_path)
}
