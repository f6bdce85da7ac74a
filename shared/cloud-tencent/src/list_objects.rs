//! GET of a bucket: its objects by prefix. Only eventually consistent, so never the proof of an export.

use http::Method;
use percent_encoding::percent_decode_str;
use sampan_cloud::CallError;
use sampan_cloud::bucket::{BucketRef, Object, ObjectPage};
use sampan_cloud::stack::Reply;
use serde::Deserialize;

use crate::cos::Cos;
use crate::time::rfc3339;

/// The vendor's ceiling (document 436/7734).
const PAGE: &str = "1000";

/// Lists one page after `marker`.
pub(crate) async fn page(
    cos: &Cos,
    bucket: &BucketRef,
    prefix: &str,
    marker: Option<&str>,
) -> Result<ObjectPage, CallError> {
    let mut request = cos.request("ListObjects", Method::GET, bucket, "");
    // Names may hold characters that XML cannot, so they are asked for percent-encoded.
    let query =
        [("prefix", prefix), ("marker", marker.unwrap_or_default()), ("max-keys", PAGE), ("encoding-type", "url")];
    request.query = query.map(|(name, value)| (name.to_owned(), value.to_owned())).to_vec();
    cos.stack.call(request, read).await
}

#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "PascalCase", default)]
struct Listing {
    encoding_type: Option<String>,
    is_truncated: Option<bool>,
    next_marker: Option<String>,
    contents: Vec<Listed>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "PascalCase", default)]
struct Listed {
    key: String,
    last_modified: Option<String>,
    #[serde(rename = "ETag")]
    etag: Option<String>,
    size: Option<u64>,
    storage_class: Option<String>,
}

fn read(reply: &Reply) -> Result<ObjectPage, String> {
    let text = std::str::from_utf8(&reply.body).map_err(|_| "the listing is no UTF-8")?;
    if !text.contains("<ListBucketResult") {
        return Err("the answer is no listing".to_owned());
    }
    let listing: Listing = quick_xml::de::from_str(text).map_err(|error| error.to_string())?;
    let encoded = listing.encoding_type.as_deref() == Some("url");
    let name = |text: &str| match encoded {
        true => percent_decode_str(text).decode_utf8_lossy().into_owned(),
        false => text.to_owned(),
    };
    let objects: Vec<_> = listing.contents.into_iter().map(|listed| object(name(&listed.key), listed)).collect();
    let next = listing.is_truncated.unwrap_or_default().then(|| {
        let marker = listing.next_marker.filter(|marker| !marker.is_empty()).map(|marker| name(&marker));
        marker.or_else(|| objects.last().map(|last| last.key.clone()))
    });
    Ok(ObjectPage { next: next.flatten(), objects })
}

fn object(key: String, listed: Listed) -> Object {
    Object {
        key,
        size_bytes: listed.size.unwrap_or_default(),
        etag: listed.etag.unwrap_or_default().trim_matches('"').to_owned(),
        last_modified: listed.last_modified.as_deref().and_then(rfc3339),
        crc64: None,
        storage_class: listed.storage_class,
    }
}

#[cfg(test)]
mod tests {
    use bytes::Bytes;

    use super::*;

    fn page(xml: &str) -> Result<ObjectPage, String> {
        read(&Reply::new(http::Response::new(Bytes::copy_from_slice(xml.as_bytes())), None))
    }

    #[test]
    fn a_page_is_read_with_its_names_decoded() {
        let page = page(
            "<?xml version='1.0' encoding='utf-8' ?><ListBucketResult><Name>b-1250000000</Name><EncodingType>url\
             </EncodingType><Prefix>a%20</Prefix><Marker/><MaxKeys>1000</MaxKeys><IsTruncated>true</IsTruncated>\
             <NextMarker>a%20%E9%95%9C.raw</NextMarker><Contents><Key>a%20%E9%95%9C.raw</Key>\
             <LastModified>2020-12-10T03:37:30.000Z</LastModified><ETag>&quot;5d41-3&quot;</ETag><Size>7</Size>\
             <Owner><ID>1250000000</ID><DisplayName>1250000000</DisplayName></Owner>\
             <StorageClass>STANDARD</StorageClass></Contents></ListBucketResult>",
        )
        .unwrap();
        assert_eq!(page.next.as_deref(), Some("a 镜.raw"));
        assert_eq!(
            page.objects,
            [Object {
                key: "a 镜.raw".to_owned(),
                size_bytes: 7,
                etag: "5d41-3".to_owned(),
                last_modified: Some("2020-12-10T03:37:30Z".parse().unwrap()),
                crc64: None,
                storage_class: Some("STANDARD".to_owned()),
            }]
        );
    }

    #[test]
    fn the_last_page_has_no_continuation_and_an_empty_bucket_no_objects() {
        let page = page("<ListBucketResult><Name>b</Name><IsTruncated>false</IsTruncated></ListBucketResult>").unwrap();
        assert_eq!(page, ObjectPage { objects: vec![], next: None });
    }

    #[test]
    fn a_truncated_page_without_marker_goes_on_after_its_last_key() {
        let xml =
            "<ListBucketResult><IsTruncated>true</IsTruncated><Contents><Key>a%b</Key></Contents></ListBucketResult>";
        assert_eq!(page(xml).unwrap().next.as_deref(), Some("a%b"));
    }

    #[test]
    fn a_page_of_a_gateway_is_no_empty_listing() {
        assert!(page("<html><body>Welcome</body></html>").is_err());
        assert!(page("").is_err());
    }
}
