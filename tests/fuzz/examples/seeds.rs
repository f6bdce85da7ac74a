//! Writes the seeds that are no text: requests, a token with its keys, a certificate, rows of a store, answers of
//! Redis, a journal, archives. The others in `corpus/` were written by hand, after the vendors' documents.
#![allow(clippy::unwrap_used, clippy::expect_used, reason = "a tool of the tests")]

use std::fs;
use std::io::Write as _;
use std::path::Path;

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use flate2::Compression;
use flate2::write::GzEncoder;
use prost::Message as _;
use prost_types::Duration;
use rcgen::{CertificateParams, KeyPair, SanType};
use ring::rand::SystemRandom;
use ring::signature::{ECDSA_P256_SHA256_FIXED_SIGNING, EcdsaKeyPair, KeyPair as _};
use sampan_proto::billing::v1 as billing;
use sampan_proto::copy::v1 as copy;
use sampan_proto::export::v1 as export;
use sampan_proto::image::v1 as image;
use sampan_proto::operation::v1 as operation;
use sampan_proto::quota::v1 as quota;
use sampan_proto::share::v1 as share;
use serde_json::json;

fn write(target: &str, name: &str, bytes: impl AsRef<[u8]>) {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("corpus").join(target);
    fs::create_dir_all(&folder).unwrap();
    fs::write(folder.join(name), bytes).unwrap();
}

fn named(cloud: image::Cloud, account: &str, region: &str, id: &str) -> Option<image::ImageReference> {
    let (account, region, image_id) = (account.to_owned(), region.to_owned(), id.to_owned());
    Some(image::ImageReference { cloud: cloud.into(), account, region, image_id })
}

fn tencent() -> Option<image::ImageReference> {
    named(image::Cloud::Tencent, "prod-cn", "ap-guangzhou", "img-72n9mi0y")
}

fn alibaba() -> Option<image::ImageReference> {
    named(image::Cloud::Alibaba, "prod-ali", "cn-hangzhou", "m-bp67acfmxazb4p0001")
}

fn seconds(seconds: i64) -> Option<Duration> {
    Some(Duration { seconds, nanos: 0 })
}

fn labels() -> std::collections::HashMap<String, String> {
    [("team".to_owned(), "images".to_owned())].into()
}

const REQUEST_ID: &str = "6f2a4c1e-6d2b-4a52-9f5e-0d6b3a1c9e10";

fn exports() -> [export::ExportImageRequest; 2] {
    let full = export::ExportSpec {
        image: alibaba(),
        bucket: "images-nightly".to_owned(),
        prefix: Some("nightly".to_owned()),
        format: image::ImageFormat::Qcow2.into(),
        role_name: "exporter".to_owned(),
        when_quota_spent: quota::WhenQuotaSpent::Queue.into(),
        deadline: seconds(7200),
        stall_after: seconds(600),
        max_cost: Some(billing::CostLimit { amount: "12.50".to_owned(), currency: "CNY".to_owned() }),
        expected_use: Some(export::ExpectedUse {
            keep_for: seconds(86_400),
            downloads: Some(billing::Downloads { public_count: 2, ..billing::Downloads::default() }),
        }),
        ..export::ExportSpec::default()
    };
    let plain = export::ExportSpec {
        image: tencent(),
        bucket: "images-1250000000".to_owned(),
        only_root_disk: true,
        ..export::ExportSpec::default()
    };
    [full, plain].map(|spec| export::ExportImageRequest {
        request_id: REQUEST_ID.to_owned(),
        spec: Some(spec),
        labels: labels(),
    })
}

fn copy_request() -> copy::CopyImageRequest {
    let to = |region: &str| copy::Destination { region: region.to_owned(), ..copy::Destination::default() };
    let spec = copy::CopySpec {
        image: alibaba(),
        destinations: vec![
            to("cn-shanghai"),
            copy::Destination { image_name: "web-bj".to_owned(), ..to("cn-beijing") },
        ],
        image_name: "web".to_owned(),
        description: "nightly".to_owned(),
        encryption: Some(copy::CopyEncryption { kms_key_id: String::new() }),
        tags: labels(),
        failure_policy: copy::FailurePolicy::AllOrNothing.into(),
        when_quota_spent: quota::WhenQuotaSpent::Queue.into(),
        deadline: seconds(7200),
        keep_for: seconds(86_400),
        ..copy::CopySpec::default()
    };
    copy::CopyImageRequest { request_id: REQUEST_ID.to_owned(), spec: Some(spec), labels: labels() }
}

fn share_request() -> share::SetImageSharesRequest {
    let spec = share::ShareSpec {
        image: tencent(),
        account_ids: vec!["100000000002".to_owned(), "100000000003".to_owned()],
        include_copies: true,
        ..share::ShareSpec::default()
    };
    share::SetImageSharesRequest { request_id: REQUEST_ID.to_owned(), spec: Some(spec), labels: labels() }
}

/// A message after a byte that chooses.
fn chosen(choice: u8, message: &impl prost::Message) -> Vec<u8> {
    [vec![choice], message.encode_to_vec()].concat()
}

fn billing_requests() -> [Vec<u8>; 4] {
    let disks = vec![billing::DiskSize { capacity_bytes: 50 << 30, used_bytes: Some(7 << 30) }];
    let (cloud, site) = (image::Cloud::Tencent.into(), billing::Site::Cn.into());
    let downloads = Some(billing::Downloads { public_count: 3, private_count: 1, ..billing::Downloads::default() });
    let free = Some(billing::FreeAllowance { storage_bytes: 1 << 30, ..billing::FreeAllowance::default() });
    let estimated = billing::EstimateExportRequest {
        cloud,
        site,
        region: "ap-guangzhou".to_owned(),
        storage_class: "STANDARD".to_owned(),
        disks: disks.clone(),
        keep_for: seconds(30 * 86_400),
        downloads,
        free,
        overrides: Some(billing::Overrides { export_ratio: "0.5".to_owned(), ..billing::Overrides::default() }),
        ..billing::EstimateExportRequest::default()
    };
    let copied = billing::EstimateCopyRequest {
        cloud,
        site,
        source_region: "ap-guangzhou".to_owned(),
        destination_regions: vec!["ap-beijing".to_owned(), "ap-shanghai".to_owned()],
        disks,
        keep_for: seconds(30 * 86_400),
        share_account_count: 3,
        ..billing::EstimateCopyRequest::default()
    };
    let fetched = billing::EstimateDownloadRequest {
        cloud,
        site,
        region: "ap-guangzhou".to_owned(),
        object_sizes_bytes: vec![5 << 30, 1],
        downloads,
        ..billing::EstimateDownloadRequest::default()
    };
    let listed = billing::ListPricesRequest {
        page_size: 5,
        cloud,
        site,
        region: "ap-guangzhou".to_owned(),
        ..billing::ListPricesRequest::default()
    };
    [chosen(0, &estimated), chosen(1, &copied), chosen(2, &fetched), chosen(3, &listed)]
}

fn operation_lists() -> [operation::ListOperationsRequest; 2] {
    let filtered = operation::ListOperationsRequest {
        page_size: 2,
        kinds: vec![operation::OperationKind::Export.into()],
        states: vec![operation::OperationState::Running.into()],
        cloud: image::Cloud::Alibaba.into(),
        account: "prod-ali".to_owned(),
        region: "cn-hangzhou".to_owned(),
        labels: labels(),
        ..operation::ListOperationsRequest::default()
    };
    [filtered, operation::ListOperationsRequest::default()]
}

fn call(service: &str, method: &str, headers: &str, message: &impl prost::Message) -> Vec<u8> {
    let head = format!("/sampan.{service}/{method}\n{headers}\n").into_bytes();
    [head, message.encode_to_vec()].concat()
}

fn calls() {
    let write = |name, bytes: Vec<u8>| write("rpc", name, bytes);
    let headers =
        "grpc-timeout: 10S\nx-request-id: a-1\ntraceparent: 00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01\n";
    let [full, plain] = exports();
    let plain = export::ExportImageRequest { request_id: String::new(), ..plain };
    write("export-image", call("export.v1.ExportService", "ExportImage", headers, &plain));
    let export_spec = export::ExportSpec { max_cost: None, ..full.spec.unwrap() };
    let request = export::PreviewExportRequest { spec: Some(export_spec) };
    write("preview-export", call("export.v1.ExportService", "PreviewExport", "", &request));
    write("copy-image", call("copy.v1.CopyService", "CopyImage", headers, &copy_request()));
    let share = share_request();
    let request = share::ShareImageRequest { request_id: String::new(), spec: share.spec, labels: share.labels };
    write("share-image", call("share.v1.ShareService", "ShareImage", "", &request));
    let [estimate, ..] = billing_requests();
    let request = billing::EstimateExportRequest::decode(&estimate[1..]).unwrap();
    write(
        "estimate",
        call("billing.v1.BillingEstimatorService", "EstimateExport", "authorization: Bearer a.b.c\n", &request),
    );
    let [request, _] = operation_lists();
    write("list-operations", call("operation.v1.OperationService", "ListOperations", "", &request));
    let name = "operations/019a0000-0000-7000-8000-000000000001".to_owned();
    let watch = operation::WatchOperationRequest { name: name.clone(), from_revision: Some(3) };
    write("watch-operation", call("operation.v1.OperationService", "WatchOperation", "", &watch));
    let wait = operation::WaitOperationRequest { name: name.clone(), timeout: seconds(1) };
    write("wait-operation", call("operation.v1.OperationService", "WaitOperation", "", &wait));
    let cancel = operation::CancelOperationRequest { name, remove_result: true };
    write("cancel-operation", call("operation.v1.OperationService", "CancelOperation", "", &cancel));
    let lane = quota::GetQuotaRequest {
        cloud: image::Cloud::Tencent.into(),
        account: "prod-cn".to_owned(),
        region: "ap-guangzhou".to_owned(),
    };
    write("get-quota", call("quota.v1.QuotaService", "GetQuota", "", &lane));
    write("quota", call("quota.v1.QuotaService", "ListQuotas", "", &quota::ListQuotasRequest::default()));
    write("two-frames", b"/sampan.quota.v1.QuotaService/ListQuotas raw\n\n\0\0\0\0\0\0\0\0\0\x02\x08\x05".to_vec());
    super_compressed();
}

/// A message in gzip that a server unpacks before it reads it.
fn super_compressed() {
    let [list, _] = operation_lists();
    let mut packed = GzEncoder::new(Vec::new(), Compression::best());
    packed.write_all(&list.encode_to_vec()).unwrap();
    let packed = packed.finish().unwrap();
    let length = u32::try_from(packed.len()).unwrap().to_be_bytes();
    let head = b"/sampan.operation.v1.OperationService/ListOperations raw\ngrpc-encoding: gzip\n\n\x01";
    write("rpc", "gzip", [&head[..], &length, &packed].concat());
}

fn tokens() {
    let random = SystemRandom::new();
    let document = EcdsaKeyPair::generate_pkcs8(&ECDSA_P256_SHA256_FIXED_SIGNING, &random).unwrap();
    let pair = EcdsaKeyPair::from_pkcs8(&ECDSA_P256_SHA256_FIXED_SIGNING, document.as_ref(), &random).unwrap();
    let point = pair.public_key().as_ref();
    let part = |bytes: &[u8]| URL_SAFE_NO_PAD.encode(bytes);
    let keys = json!({ "keys": [{ "kty": "EC", "crv": "P-256", "alg": "ES256", "use": "sig", "kid": "one",
        "x": part(&point[1..33]), "y": part(&point[33..]) }] });
    for (name, claims) in [
        ("valid", json!({ "aud": "sampan", "sub": "builder", "exp": 1_795_233_900, "nbf": 1_795_233_000 })),
        ("expired", json!({ "aud": ["sampan", "other"], "sub": "builder", "exp": 1_795_233_500 })),
    ] {
        let header = json!({ "alg": "ES256", "typ": "JWT", "kid": "one" });
        let message = format!("{}.{}", part(header.to_string().as_bytes()), part(claims.to_string().as_bytes()));
        let signature = pair.sign(&random, message.as_bytes()).unwrap();
        write("bearer", name, format!("{keys}\n{message}.{}", part(signature.as_ref())));
    }
    write("bearer", "without-signature", format!("{keys}\neyJhbGciOiJub25lIn0.eyJzdWIiOiJhIn0."));
}

fn certificates() {
    let uri = |text: &str| SanType::URI(text.try_into().unwrap());
    for (name, names) in [
        ("spiffe", vec![uri("spiffe://corp.example/ns/images/sa/builder")]),
        ("two-names", vec![uri("spiffe://a.example/x"), uri("spiffe://b.example/y")]),
        ("dns", vec![SanType::DnsName("sampan.example".try_into().unwrap())]),
    ] {
        let key = KeyPair::generate().unwrap();
        let mut params = CertificateParams::default();
        params.subject_alt_names = names;
        write("certificate", name, params.self_signed(&key).unwrap().der());
    }
}

fn bulk(bytes: impl AsRef<[u8]>) -> Vec<u8> {
    let bytes = bytes.as_ref();
    [format!("${}\r\n", bytes.len()).as_bytes(), bytes, b"\r\n"].concat()
}

fn list(items: &[Vec<u8>]) -> Vec<u8> {
    [format!("*{}\r\n", items.len()).into_bytes(), items.concat()].concat()
}

fn stores() {
    let mut record = Vec::new();
    for (place, (_, value)) in sampan_tests_fuzz::stored_rows().iter().enumerate() {
        if !value.is_empty() {
            let place = u8::try_from(place).unwrap();
            write("row", &format!("{place:02}"), [&[place], value.as_slice()].concat());
        }
        if value.starts_with(b"{\"version\"") {
            record.clone_from(value);
        }
    }
    let id = "019a0000-0000-7000-8000-000000000001";
    let entry = [
        ("v", "1"),
        ("st", "RUNNING"),
        ("kind", "export"),
        ("lane", "tencent/prod-cn/ap-guangzhou"),
        ("caller", "alice"),
        ("digest", "d"),
        ("made", "1795233600000000"),
        ("upd", "1795233600000001"),
        ("rev", "3"),
        ("fence", "1"),
        ("exp", "1795233630000000"),
        ("can", "1795233600000002"),
        ("canby", "bob"),
        ("canrm", "1"),
        ("rid", REQUEST_ID),
    ];
    let entry: Vec<_> = entry.iter().flat_map(|(name, value)| [bulk(name), bulk(value)]).collect();
    let found = list(&[bulk(id), list(&entry), bulk(&record), bulk("w:2:1795276800000000")]);
    write("redis_answer", "found", list(&[found.clone(), found.clone()]));
    write("redis_answer", "page", list(&[list(&[found]), list(&[bulk(id), bulk("odd")])]));
    let picture = [
        b":1795233600000000\r\n".to_vec(),
        b":20778\r\n".to_vec(),
        b":2\r\n".to_vec(),
        bulk("1"),
        bulk("0"),
        bulk("1"),
        list(&[bulk(id), bulk("1795276800000000")]),
    ];
    write("redis_answer", "picture", list(&picture));
    write("redis_answer", "news", id);
    write("redis_answer", "error", b"-NOSCRIPT No matching script.\r\n");

    let frame: Vec<u8> = [8_192_u64.to_le_bytes(), 4_u64.to_le_bytes()].concat().into_iter().chain(*b"page").collect();
    write("journal", "frame", [&[1][..], &frame, &frame].concat());
    write("journal", "empty", [0; 4097]);
    write("journal", "begun", [&[0][..], b"sampanJ1", &[0; 64]].concat());
}

fn archives() {
    let disk = [vec![0; 8192], b"boot".to_vec(), vec![0; 9000], b"end".to_vec()].concat();
    let pack = |members: &[&str]| {
        let mut archive = tar::Builder::new(GzEncoder::new(Vec::new(), Compression::best()));
        for name in members {
            let mut header = tar::Header::new_gnu();
            header.set_size(disk.len() as u64);
            header.set_mode(0o644);
            archive.append_data(&mut header, name, disk.as_slice()).unwrap();
        }
        archive.into_inner().unwrap().finish().unwrap()
    };
    write("archive", "one-disk", pack(&["nightly_img-1_system.raw"]));
    write("archive", "two-members", pack(&["a.raw", "b.raw"]));
    write("archive", "cut", &pack(&["a.raw"])[..60]);
    let content = b"the only part of a small disk";
    let crc64 = crc_fast::checksum(crc_fast::CrcAlgorithm::Crc64Xz, content);
    let header = json!({ "size_bytes": content.len(), "etag": "etag", "part_bytes": 8 << 20 });
    write("download_notes", "whole", format!("{header}\n{}\n", json!({ "part": 0, "crc64": crc64 })));
    write("download_notes", "torn", format!("{header}\n{}\n{{\"part\":", json!({ "part": 7, "crc64": 1 })));
}

fn main() {
    for (name, request) in ["full", "plain"].into_iter().zip(exports()) {
        write("export_request", name, request.encode_to_vec());
    }
    write("copy_request", "full", copy_request().encode_to_vec());
    write("share_request", "set", share_request().encode_to_vec());
    for (name, bytes) in ["export", "copy", "download", "prices"].into_iter().zip(billing_requests()) {
        write("billing_request", name, bytes);
    }
    for (name, request) in ["filtered", "all"].into_iter().zip(operation_lists()) {
        write("operations_request", name, request.encode_to_vec());
    }
    let lane = quota::GetQuotaRequest {
        cloud: image::Cloud::Tencent.into(),
        account: "prod-cn".to_owned(),
        region: "ap-guangzhou".to_owned(),
    };
    write("quota_request", "lane", chosen(0, &lane));
    let page = quota::ListQuotasRequest { page_size: 2, ..quota::ListQuotasRequest::default() };
    write("quota_request", "list", chosen(1, &page));
    calls();
    tokens();
    certificates();
    stores();
    archives();
}
