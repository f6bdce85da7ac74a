//! A door for fuzzing: what reads the answers of Redis.

use sampan_core::Lane;
use sampan_core::quota_day::QuotaRule;

use super::news::News;
use super::quota::read_picture;
use super::record::write_record;
use super::reply::Reply;
use super::url::RedisUrl;

/// Reads `bytes` in every way in which an answer of a script or an announcement is read. An operation that was read
/// can be written again.
///
/// Returns whether it was an answer of any kind.
pub fn answer(bytes: &[u8], lane: &Lane, rule: &QuotaRule) -> bool {
    News::new().hear(bytes);
    let Ok(value) = redis::parse_redis_value(bytes) else { return false };
    let reply = || Reply::new("fuzzed", value.clone());
    let mut is_known = false;
    for found in reply().all_found().into_iter().flatten() {
        if let Ok(operation) = found.operation() {
            assert!(write_record(&operation, &mut Vec::new()).is_ok(), "an operation that was read cannot be written");
            is_known = true;
        }
    }
    is_known |= reply().list().and_then(|mut list| list.all_found()).is_ok();
    is_known |= reply().pairs().is_ok();
    is_known | read_picture(reply(), lane, rule).is_ok()
}

/// Reads the address of a store; what is shown of it reads again.
///
/// Returns whether it is one.
pub fn address(text: &str) -> bool {
    let Ok(url) = text.parse::<RedisUrl>() else { return false };
    let shown = url.to_string();
    assert!(shown.parse::<RedisUrl>().is_ok(), "{shown} is shown for an address, and is none");
    true
}
