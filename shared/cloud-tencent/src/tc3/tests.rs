//! The vectors of the vendor's own signer, with its clock at 1700000000.

use super::*;

const JSON: &str = "application/json";
const EXPORT: &str = r#"{"BucketName":"my-bucket-1250000000","ImageIds":["img-72n9mi0y"],"ExportFormat":"RAW","FileNamePrefixList":["nightly"],"DryRun":false}"#;

fn credential() -> Credential {
    Credential {
        secret_id: "AKIDz8krbsJ5yKBZQpn74WFkmLPx3EXAMPLE".to_owned(),
        secret_key: "Gu5t9xGARNpq86cd98joQYCN3EXAMPLE".to_owned(),
        ..Credential::default()
    }
}

fn at() -> Timestamp {
    Timestamp::from_second(1_700_000_000).unwrap()
}

fn post(host: &str, content_type: &str, body: &str) -> http::Request<Bytes> {
    http::Request::post(format!("https://{host}/"))
        .header(HOST, host)
        .header(CONTENT_TYPE, content_type)
        .body(Bytes::copy_from_slice(body.as_bytes()))
        .unwrap()
}

fn cvm(body: &str) -> http::Request<Bytes> {
    post("cvm.tencentcloudapi.com", JSON, body)
}

/// Returns the hashes of payload and canonical request, and the signature.
fn steps(http: &http::Request<Bytes>, names: &[&str]) -> [String; 3] {
    let canonical = canonical(http, names).unwrap();
    let payload = canonical.text.lines().last().unwrap().to_owned();
    let header = authorization(&canonical, "cvm", &credential(), at());
    let signature = header.split("Signature=").last().unwrap().to_owned();
    [payload, sha256_hex(canonical.text.as_bytes()), signature]
}

fn usual(http: &http::Request<Bytes>) -> [String; 3] {
    steps(http, &["content-type", "host"])
}

#[test]
fn the_keys_are_derived_by_day_service_and_purpose() {
    let day = hmac_sha256(b"TC3Gu5t9xGARNpq86cd98joQYCN3EXAMPLE", b"2023-11-14");
    assert_eq!(hex::encode(&day), "887d0077ac19ed5cba18590a4fe79f7e1d851a9b05bd4e02a3af730156456978");
    let service = hmac_sha256(&day, b"cvm");
    assert_eq!(hex::encode(service), "d512fbc373b81c62ac8135216fbf291ec876e68892160e6b062a993b6966dd3d");
    let key = signing_key("Gu5t9xGARNpq86cd98joQYCN3EXAMPLE", "2023-11-14", "cvm");
    assert_eq!(hex::encode(key), "ccd0b3184f12b1f5b0384f27ec2857fcd01320d87e7e525005c345883331ab99");
}

#[test]
fn vector_a_an_export_with_a_compact_body() {
    let mut http = cvm(EXPORT);
    assert_eq!(
        canonical(&http, &["content-type", "host"]).unwrap().text,
        "POST\n/\n\ncontent-type:application/json\nhost:cvm.tencentcloudapi.com\n\ncontent-type;host\n\
         417d5f2294c2904541e059197655bec24a09398b1aaf84f498e50b7d5f82aa15"
    );
    sign(&mut http, "cvm", &credential(), at()).unwrap();
    assert_eq!(http.headers()["x-tc-timestamp"], "1700000000");
    assert!(http.headers()[AUTHORIZATION].is_sensitive());
    assert_eq!(
        http.headers()[AUTHORIZATION],
        "TC3-HMAC-SHA256 Credential=AKIDz8krbsJ5yKBZQpn74WFkmLPx3EXAMPLE/2023-11-14/cvm/tc3_request, \
         SignedHeaders=content-type;host, Signature=e7679f0818fdc13a5b9b78ab2716342682045b88be3fe5f15002f3e1a81993f6"
    );
}

#[test]
fn vector_b_the_same_with_spaces_in_the_body() {
    let spaced = EXPORT.replace("\":", "\": ").replace(",\"", ", \"");
    assert_eq!(
        usual(&cvm(&spaced)),
        [
            "714fc6b522e45a33b73c8db7fa0502269df9992b6e206d4284fc247df8981407",
            "2d450c142da178032c26f07ab308db20bbdb0c2cab81ee4cddc4e0847fc5083a",
            "6497934380ef938dc5988860148ce2d86a5b16d5ad0e6617168607c300549be2",
        ]
    );
}

#[test]
fn vector_c_an_empty_object() {
    assert_eq!(
        usual(&cvm("{}")),
        [
            "44136fa355b3678a1146ad16f7e8649e94fb4fc21fe77e8310c060f61caaff8a",
            "b7511c2a57e10458e52fe57af7b28c25796fc538db71eef3b256d94528d8834d",
            "c59084571626f953c54b1cb4d22392e56a9b23378f868f6ab9ccc63da5c4dc8a",
        ]
    );
}

#[test]
fn vector_d_a_get_with_its_query_as_sent() {
    let url =
        "https://cvm.tencentcloudapi.com/?Filters.0.Name=image-type&Filters.0.Values.0=PRIVATE_IMAGE&Limit=1&Offset=0";
    let http = http::Request::get(url)
        .header(HOST, "cvm.tencentcloudapi.com")
        .header(CONTENT_TYPE, "application/x-www-form-urlencoded")
        .body(Bytes::new())
        .unwrap();
    assert_eq!(
        usual(&http),
        [
            "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855",
            "be5825776449ddedb3629680a3b7e88fb492d72ab583b8d2578072585f20af2f",
            "c4d42886fa064c508e44733ae7922c5a2f1c45d11e31dafd01fc2d2001e80b00",
        ]
    );
}

#[test]
fn vector_e_a_body_that_is_not_signed() {
    let mut http = cvm("{}");
    http.headers_mut().insert(UNSIGNED_HEADER, UNSIGNED.parse().unwrap());
    assert_eq!(
        usual(&http),
        [
            "438d4109ef0d676b8c2c7ed13cdfcb418e494d53b843d4634ce3b1085f07bb96",
            "08ca61ccea5c4f36a3d4ba244ffe6984977e068524eacd007c466f121f299ad6",
            "a8e36d0b1df454dc226727011e1221aba29426d32be01122e0083f728f787e96",
        ]
    );
}

#[test]
fn vector_f_a_host_with_its_port() {
    let [_, canonical, signature] = usual(&post("127.0.0.1:18081", JSON, "{}"));
    assert_eq!(canonical, "580cf8a4ac52f6a2d85ae4271d65cec10fe40350d52b6e2a5e1d86c8cdeec624");
    assert_eq!(signature, "f6aa6d718f883f4c1b24a0993ae10ce1b68150767d2ebe47042af75b77ff0ff5");
}

#[test]
fn vector_g_the_action_among_the_signed_headers_in_lower_case() {
    let mut http = post("cvm.tencentcloudapi.com", "application/json; charset=utf-8", "{}");
    http.headers_mut().insert("x-tc-action", "ExportImages".parse().unwrap());
    let [_, canonical, signature] = steps(&http, &["content-type", "host", "x-tc-action"]);
    assert_eq!(canonical, "357fe719d687da55c8f3f79b383b06f7a6e45b49755b3a5727eccba59f2f4044");
    assert_eq!(signature, "924ea4fe26d598a2bdc298f73be6dbc1fae303e14d7fa4a2daecdf0e0bf180f1");
}

#[test]
fn a_token_travels_in_a_sensitive_header() {
    let mut http = cvm("{}");
    let credential = Credential { security_token: Some("TKN".to_owned()), ..credential() };
    sign(&mut http, "cvm", &credential, at()).unwrap();
    assert!(http.headers()["x-tc-token"] == "TKN" && http.headers()["x-tc-token"].is_sensitive());
}

#[test]
fn a_request_without_a_content_type_is_not_signed() {
    let mut http = cvm("{}");
    http.headers_mut().remove(CONTENT_TYPE);
    assert!(matches!(sign(&mut http, "cvm", &credential(), at()), Err(SignError::Request(_))));
}
