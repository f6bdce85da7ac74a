//! Decides when two starts are the same: by the SHA-256 of their JSON.

use std::collections::BTreeMap;

use sampan_core::Lane;
use sampan_state::{Json, OnSpent};
use serde::Serialize;
use sha2::{Digest as _, Sha256};

use crate::engine::StartRequest;

/// What most starts have.
const TYPICAL_BYTES: usize = 1024;

/// What makes a start another one. The order of the fields is part of the digest, also for the next version.
#[derive(Serialize)]
struct Same<'a> {
    kind: &'static str,
    lane: &'a Lane,
    labels: &'a BTreeMap<String, String>,
    /// What one caller has started is not told to another who happens to use the same request id.
    caller: &'a str,
    on_spent: OnSpent,
    request: &'a Json,
}

/// Returns the SHA-256 of what a start asks for, in lower-case hex; the request id is no part of it.
pub(crate) fn digest(start: &StartRequest) -> String {
    let StartRequest { kind, lane, caller, labels, request_id: _, request, units: _, on_spent } = start;
    let same = Same { kind, lane, labels, caller, on_spent: *on_spent, request };
    let mut text = Vec::with_capacity(TYPICAL_BYTES);
    // Memory takes whatever is written, and none of these types refuses to be.
    let _ = serde_json::to_writer(&mut text, &same);
    hex::encode(Sha256::digest(&text))
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn start() -> StartRequest {
        StartRequest {
            kind: "export",
            lane: Lane {
                cloud: sampan_core::Cloud::Tencent,
                account: "prod".parse().unwrap(),
                region: "ap-guangzhou".parse().unwrap(),
            },
            caller: "ci".to_owned(),
            labels: BTreeMap::from([("team".to_owned(), "images".to_owned())]),
            request_id: None,
            request: json!({ "image": "img-72n9mi0y" }).into(),
            units: 1,
            on_spent: OnSpent::Queue,
        }
    }

    #[test]
    fn the_digest_is_the_sha_256_of_the_compact_text_in_every_version() {
        // printf '%s' '{"kind":"export","lane":{"cloud":"tencent","account":"prod","region":"ap-guangzhou"},"labels":
        // {"team":"images"},"caller":"ci","on_spent":"QUEUE","request":{"image":"img-72n9mi0y"}}' | sha256sum
        assert_eq!(digest(&start()), "7b98b2e4f9911aa34ccd8c528dd188c4f3950ee4741c940ac78045bea5f60526");
    }

    #[test]
    fn everything_that_is_asked_for_counts_and_nothing_else() {
        let known = digest(&start());
        let others = [
            StartRequest { kind: "copy", ..start() },
            StartRequest { caller: "other".to_owned(), ..start() },
            StartRequest { labels: BTreeMap::new(), ..start() },
            StartRequest { request: json!({ "image": "img-other" }).into(), ..start() },
            StartRequest { on_spent: OnSpent::Refuse, ..start() },
        ];
        for other in others {
            assert_ne!(digest(&other), known, "{other:?}");
        }
        let request_id = "01a200b7-4422-75ca-95e1-6f0fee0a1e44".parse().ok();
        assert_eq!(digest(&StartRequest { request_id, ..start() }), known);
    }
}
