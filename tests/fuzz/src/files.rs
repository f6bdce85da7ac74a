//! Files of those who run Sampan: configuration, policy, prices.

use std::ffi::OsString;
use std::os::unix::ffi::OsStringExt as _;
use std::sync::Arc;

use sampan::fuzzing::configure;
use sampan_billing_service::{Billing, PriceBook};
use sampan_chassis::auth::{Ask, Policy};
use sampan_proto::billing::v1 as pb;
use sampan_proto::image::v1 as image_pb;

use crate::scene::{self, must};

/// A file, an empty line with `%%`, and lines `NAME=VALUE` of an environment.
pub(crate) fn configuration(data: &[u8]) -> bool {
    let mark: &[u8] = b"\n%%\n";
    let at = data.windows(mark.len()).position(|window| window == mark);
    let (file, environment) = at.map_or((data, &[][..]), |at| (&data[..at], &data[at + mark.len()..]));
    let Ok(text) = std::str::from_utf8(file) else { return false };
    let text_of = |bytes: &[u8]| OsString::from_vec(bytes.to_vec());
    let variables = environment.split(|byte| *byte == b'\n').filter_map(|line| {
        let mut parts = line.splitn(2, |byte| *byte == b'=');
        Some((text_of(parts.next()?), text_of(parts.next()?)))
    });
    match configure(text, variables) {
        Ok(()) => true,
        Err(error) => {
            assert!(!error.is_empty());
            false
        }
    }
}

/// Nobody is nobody: a policy permits something only to whom a rule is for.
pub(crate) fn policy(data: &[u8]) -> bool {
    let Ok(text) = std::str::from_utf8(data) else { return false };
    let Ok(policy) = Policy::parse(text) else { return false };
    let ask = Ask::new("export.start").account("prod-cn").region("ap-guangzhou");
    for subject in ["", "spiffe://corp.example/ns/images/sa/builder", "team:images", "*"] {
        drop(policy.decide(subject, &ask));
        if policy.decide(subject, &ask).is_err() {
            assert!(!policy.owns(subject, subject, &ask), "{subject} may do with its own what it may not do at all");
        }
    }
    true
}

/// A file that is accepted is accepted again, as the same book, and can be calculated with.
pub(crate) fn prices(data: &[u8]) -> bool {
    let Ok(text) = std::str::from_utf8(data) else { return false };
    let book = match PriceBook::replaced("prices.csv", text) {
        Ok(book) => book,
        Err(error) => {
            assert!(!error.problems.is_empty() && !error.to_string().is_empty());
            return false;
        }
    };
    let again = must(PriceBook::replaced("prices.csv", text));
    assert!((again.sha256(), again.rows().len()) == (book.sha256(), book.rows().len()));
    must(PriceBook::extended("prices.csv", text));
    let billing = Billing::new(Arc::new(book), scene::clock());
    for (cloud, site, region) in [
        (image_pb::Cloud::Tencent, pb::Site::Cn, "ap-guangzhou"),
        (image_pb::Cloud::Alibaba, pb::Site::Intl, "cn-hangzhou"),
    ] {
        let request = pb::EstimateExportRequest {
            cloud: cloud.into(),
            site: site.into(),
            region: region.to_owned(),
            disks: vec![pb::DiskSize { capacity_bytes: 500 << 30, used_bytes: Some(7) }],
            downloads: Some(pb::Downloads { public_count: 3, ..pb::Downloads::default() }),
            ..pb::EstimateExportRequest::default()
        };
        drop(billing.estimate_export(&request));
    }
    true
}
