//! The hashes of both signatures.

use hmac::{Hmac, KeyInit as _, Mac as _};
use sha1::Sha1;
use sha2::{Digest as _, Sha256};

pub(crate) fn sha256_hex(bytes: &[u8]) -> String {
    hex::encode(Sha256::digest(bytes))
}

pub(crate) fn sha1_hex(bytes: &[u8]) -> String {
    hex::encode(Sha1::digest(bytes))
}

pub(crate) fn hmac_sha256(key: &[u8], text: &[u8]) -> Vec<u8> {
    // HMAC takes keys of every length; without the constructor there is no signature, and the cloud refuses.
    Hmac::<Sha256>::new_from_slice(key)
        .map(|mac| mac.chain_update(text).finalize().into_bytes().to_vec())
        .unwrap_or_default()
}

pub(crate) fn hmac_sha1_hex(key: &[u8], text: &[u8]) -> String {
    Hmac::<Sha1>::new_from_slice(key)
        .map(|mac| hex::encode(mac.chain_update(text).finalize().into_bytes()))
        .unwrap_or_default()
}
