//! Recomputes the RPC signature (HMAC-SHA1) of the older ECS clients ("V1", "V2").
//!
//! It covers every parameter of query and form but `Signature`, an empty `SignatureType` included.

use base64::Engine;
use base64::prelude::BASE64_STANDARD;
use hmac::{Hmac, KeyInit, Mac};
use sha1::Sha1;

use super::percent::{canonical_query, encode};

/// The text that the client signed: method, path and all parameters but the signature itself.
pub(super) fn string_to_sign(method: &str, parameters: &[(String, String)]) -> String {
    let signed: Vec<(String, String)> = parameters.iter().filter(|(name, _)| name != "Signature").cloned().collect();
    format!("{method}&%2F&{}", encode(&canonical_query(&signed)))
}

/// Base64 HMAC-SHA1 of `string_to_sign`; the key is the secret with an ampersand behind it.
pub(super) fn signature(secret: &str, string_to_sign: &str) -> String {
    hmac_sha1_base64(format!("{secret}&").as_bytes(), string_to_sign.as_bytes())
}

/// HMAC-SHA1 in Base64, which the OSS V1 signature uses too.
pub(super) fn hmac_sha1_base64(key: &[u8], text: &[u8]) -> String {
    // HMAC takes a key of any length, so the error arm cannot be reached.
    let Ok(mut mac) = Hmac::<Sha1>::new_from_slice(key) else {
        return String::new();
    };
    mac.update(text);
    BASE64_STANDARD.encode(mac.finalize().into_bytes())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::alibaba::percent::decode_query;

    const BUSINESS: &str = "Action=ExportImage&Version=2014-05-26&AccessKeyId=LTAItestid&SignatureMethod=HMAC-SHA1&SignatureVersion=1.0&SignatureNonce=0123456789abcdef0123456789abcdef&Timestamp=2024-01-02T03%3A04%3A05Z&RegionId=cn-hangzhou&ImageId=m-bp67acfmxazb4p0001&OSSBucket=example-bucket&OSSPrefix=EcsExport";

    fn sign(method: &str, query: &str) -> String {
        signature("testsecret", &string_to_sign(method, &decode_query(query)))
    }

    #[test]
    fn the_vendors_published_example_matches() {
        let query = "Action=DescribeRegions&Format=XML&Version=2014-05-26&AccessKeyId=testid&SignatureMethod=HMAC-SHA1&SignatureVersion=1.0&SignatureNonce=3ee8c1b8-83d3-44af-a94f-4e0ad82fd6cf&Timestamp=2016-02-23T12%3A46%3A24Z&Signature=ignored";
        assert_eq!(sign("GET", query), "OLeaidS1JvxuMvnyHOwuJ+uX5qY=");
    }

    #[test]
    fn an_export_without_signature_type_matches_by_post_and_by_get() {
        let query = format!("{BUSINESS}&Format=json");
        assert_eq!(sign("POST", &query), "StK6d8asPsUP/DDUPnpT2vCwYrI=");
        assert_eq!(sign("GET", &query), "wf0fHc9wVhRFS15VoUS6eJXrJ/0=");
    }

    #[test]
    fn an_empty_signature_type_is_part_of_the_signed_text() {
        let query = format!("{BUSINESS}&Format=JSON&SignatureType=");
        let text = string_to_sign("POST", &decode_query(&query));
        assert_eq!(
            text,
            "POST&%2F&AccessKeyId%3DLTAItestid%26Action%3DExportImage%26Format%3DJSON%26ImageId%3Dm-bp67acfmxazb4p0001%26OSSBucket%3Dexample-bucket%26OSSPrefix%3DEcsExport%26RegionId%3Dcn-hangzhou%26SignatureMethod%3DHMAC-SHA1%26SignatureNonce%3D0123456789abcdef0123456789abcdef%26SignatureType%3D%26SignatureVersion%3D1.0%26Timestamp%3D2024-01-02T03%253A04%253A05Z%26Version%3D2014-05-26"
        );
        assert_eq!(signature("testsecret", &text), "xW3TdWgK9geDz+LeS1qp1GcwD/8=");
    }

    #[test]
    fn a_copy_with_a_token_and_hard_characters_matches() {
        let query = "Action=CopyImage&Version=2014-05-26&Format=JSON&AccessKeyId=STS.testid&SecurityToken=STStoken&SignatureMethod=HMAC-SHA1&SignatureType=&SignatureVersion=1.0&SignatureNonce=0123456789abcdef0123456789abcdef&Timestamp=2024-01-02T03%3A04%3A05Z&RegionId=cn-hangzhou&ImageId=m-bp67acfmxazb4p0001&ClientToken=123e4567-e89b-12d3-a456-426655440000&DestinationImageName=Copy%20of%20a%2Ab~c%20%E4%B8%AD&DestinationRegionId=cn-shanghai";
        assert_eq!(sign("POST", query), "ACuHPA5l3XioBrasH/1xhEPTErE=");
    }

    #[test]
    fn lines_captured_from_both_official_clients_match() {
        let tea = "Action=ExportImage&Format=json&Version=2014-05-26&Timestamp=2026-11-21T12%3A42%3A13Z&SignatureNonce=7792f9ef1eff5843fbfb6eab40a9d0e6&ImageId=m-1&OSSBucket=examplebucket&OSSPrefix=Ecs+Exp%2A&RegionId=cn-hangzhou&SignatureMethod=HMAC-SHA1&SignatureVersion=1.0&AccessKeyId=LTAItestid&Signature=4BlRpqIv5fF7qTm2IBTyS91yCeU%3D";
        assert_eq!(sign("POST", tea), "4BlRpqIv5fF7qTm2IBTyS91yCeU=");
        let core = "ImageId=m-1&OSSBucket=examplebucket&OSSPrefix=Ecs%20Exp~ort%2A&ImageFormat=raw&DryRun=True&Version=2014-05-26&Action=ExportImage&Format=JSON&RegionId=cn-hangzhou&Timestamp=2026-11-21T12%3A34%3A28Z&SignatureMethod=HMAC-SHA1&SignatureType=&SignatureVersion=1.0&SignatureNonce=04b299a19b8794899d26f661fc896749&AccessKeyId=LTAItestid&Signature=Zvn5MLx2w42gyIak8d4J8KVT5dI%3D";
        assert_eq!(sign("POST", core), "Zvn5MLx2w42gyIak8d4J8KVT5dI=");
    }
}
