//! OSS V1: HMAC-SHA1 over method, a few headers and the resource with its sub-resources.

use super::Signable;
use crate::alibaba::acs3::header_text;
use crate::alibaba::rpc::hmac_sha1_base64;

/// Query names that belong to the signed resource; `prefix`, `max-keys` and `list-type` do not.
const SUB_RESOURCES: [&str; 36] = [
    "acl",
    "append",
    "bucketInfo",
    "callback",
    "callback-var",
    "cname",
    "comp",
    "continuation-token",
    "cors",
    "delete",
    "encryption",
    "lifecycle",
    "location",
    "logging",
    "objectMeta",
    "partNumber",
    "policy",
    "position",
    "referer",
    "regionList",
    "resourceGroup",
    "restore",
    "security-token",
    "sequential",
    "stat",
    "symlink",
    "tagging",
    "uploadId",
    "uploads",
    "versionId",
    "versioning",
    "versions",
    "website",
    "worm",
    "qosInfo",
    "requestPayment",
];

/// One V1 computation.
pub(in crate::alibaba::oss) struct V1<'a> {
    /// The covered request.
    pub(in crate::alibaba::oss) request: Signable<'a>,
    /// The `Date` (or `x-oss-date`) header, or `Expires` of a presigned URL.
    pub(in crate::alibaba::oss) date: &'a str,
}

impl V1<'_> {
    /// The text that the client signed.
    pub(in crate::alibaba::oss) fn string_to_sign(&self) -> String {
        let headers = self.request.headers;
        let content_md5 = header_text(headers, "content-md5");
        let content_type = header_text(headers, "content-type");
        let oss_headers = self.request.header_lines(|name| name.starts_with("x-oss-"));
        let resource = format!("{}{}", self.request.resource(), self.sub_resources());
        format!("{}\n{content_md5}\n{content_type}\n{}\n{oss_headers}{resource}", self.request.method, self.date)
    }

    /// Base64 HMAC-SHA1 under the secret.
    pub(in crate::alibaba::oss) fn signature(&self, secret: &str) -> String {
        hmac_sha1_base64(secret.as_bytes(), self.string_to_sign().as_bytes())
    }

    fn sub_resources(&self) -> String {
        let mut signed: Vec<&(String, String)> =
            self.request.query.iter().filter(|(name, _)| is_sub_resource(name)).collect();
        signed.sort();
        let text: Vec<String> = signed
            .into_iter()
            .map(|(name, value)| if value.is_empty() { name.clone() } else { format!("{name}={value}") })
            .collect();
        if text.is_empty() { String::new() } else { format!("?{}", text.join("&")) }
    }
}

fn is_sub_resource(name: &str) -> bool {
    SUB_RESOURCES.contains(&name) || name.starts_with("response-") || name.starts_with("x-oss-")
}
