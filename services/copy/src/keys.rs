//! Derives the names under which a copy's calls are recognised: client tokens, request ids, snapshot names.
//!
//! Each follows from the operation, the region and the attempt alone, so that a repetition after a crash carries the
//! same one, and two calls that mean different things never do.

use sampan_core::{OperationId, Region};
use uuid::{Builder, Uuid};

/// Longest client token of Alibaba.
const TOKEN_CHARS: usize = 64;

/// Returns the client token of one call: 64 ASCII characters at most.
///
/// - `call`: what the call is, such as `copy` or `disk1`.
/// - `attempt`: counts the calls of that kind for the region that are meant to be further ones.
pub(crate) fn token(operation: OperationId, call: &str, region: &Region, attempt: u32) -> String {
    let token = format!("{}.{call}{attempt}.{region}", operation.uuid().simple());
    token.chars().take(TOKEN_CHARS).collect()
}

/// Returns the request id under which the share of a copy is started.
pub(crate) fn share_request(operation: OperationId, region: &Region, image: &str) -> Uuid {
    let mut hash = Fnv::new();
    for part in [operation.uuid().as_bytes().as_slice(), region.as_str().as_bytes(), image.as_bytes()] {
        hash.add(part);
        hash.add(&[0]);
    }
    Builder::from_custom_bytes(hash.0.to_be_bytes()).into_uuid()
}

/// Returns the name of a snapshot that is copied on the way to an image.
pub(crate) fn snapshot_name(operation: OperationId, disk: usize, attempt: u32) -> String {
    format!("sampan-{}-{attempt}-{disk}", operation.uuid().simple())
}

/// FNV-1a of 128 bits: the same in every version and on every machine.
struct Fnv(u128);

impl Fnv {
    fn new() -> Self {
        Self(0x6c62_272e_07bb_0142_62b8_2175_6295_c58d)
    }

    fn add(&mut self, bytes: &[u8]) {
        for byte in bytes {
            self.0 = (self.0 ^ u128::from(*byte)).wrapping_mul(0x0000_0000_0100_0000_0000_0000_0000_013b);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn operation(last: u8) -> OperationId {
        Uuid::from_bytes([1, 2, 3, 4, 5, 6, 0x70, 8, 0x80, 1, 2, 3, 4, 5, 6, last]).into()
    }

    fn region(text: &str) -> Region {
        text.parse().unwrap()
    }

    #[test]
    fn a_token_fits_the_vendor_and_differs_for_each_region_call_and_attempt() {
        let tokens = [
            token(operation(1), "copy", &region("cn-shanghai-finance-1"), 1),
            token(operation(1), "copy", &region("cn-shanghai"), 1),
            token(operation(1), "copy", &region("cn-shanghai"), 2),
            token(operation(1), "disk0", &region("cn-shanghai"), 1),
            token(operation(2), "copy", &region("cn-shanghai"), 1),
        ];
        let different: std::collections::BTreeSet<_> = tokens.iter().collect();
        assert_eq!(different.len(), tokens.len());
        assert!(tokens.iter().all(|token| token.len() <= 64 && token.is_ascii()), "{tokens:?}");
    }

    #[test]
    fn a_share_is_asked_for_under_the_same_id_again_and_under_another_for_another_copy() {
        let first = share_request(operation(1), &region("cn-shanghai"), "m-1");
        assert_eq!(first, share_request(operation(1), &region("cn-shanghai"), "m-1"));
        assert_ne!(first, share_request(operation(1), &region("cn-shanghai"), "m-2"));
        assert_ne!(first, share_request(operation(1), &region("cn-beijing"), "m-1"));
        assert_ne!(first, share_request(operation(2), &region("cn-shanghai"), "m-1"));
        assert_eq!(first.get_version_num(), 8);
    }
}
