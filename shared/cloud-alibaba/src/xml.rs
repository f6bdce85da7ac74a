//! Reads the XML that OSS speaks, and the errors that gateways of ECS give.

use serde::Deserialize;
use serde::de::DeserializeOwned;

/// An error of the vendor in XML.
#[derive(Debug, Clone, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "PascalCase", default)]
pub(crate) struct ErrorBody {
    /// Code, to the letter.
    pub(crate) code: String,
    /// Message.
    pub(crate) message: String,
    /// The vendor's request id.
    pub(crate) request_id: String,
    /// The host that would answer, where the wrong one was asked.
    pub(crate) endpoint: String,
}

/// Reads an error; `None` when `body` is none.
pub(crate) fn error(body: &[u8]) -> Option<ErrorBody> {
    let text = std::str::from_utf8(body).ok()?;
    // Any other document would read as an error without a code.
    text.contains("<Error>").then_some(())?;
    quick_xml::de::from_str::<ErrorBody>(text).ok().filter(|error| !error.code.is_empty())
}

/// Reads a document.
///
/// # Errors
/// A phrase about what cannot be read.
pub(crate) fn document<T: DeserializeOwned>(body: &[u8]) -> Result<T, String> {
    let text = std::str::from_utf8(body).map_err(|_| "the answer is no UTF-8".to_owned())?;
    quick_xml::de::from_str(text).map_err(|error| format!("the answer has another form: {error}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_error_reads_whatever_else_is_in_it() {
        let body = b"<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<Error>\n  <Code>AccessDenied</Code>\n  \
            <Message>The bucket you are attempting to access must be addressed using the specified endpoint.</Message>\n\
            <RequestId>5C3D9175B6FC201293AD4890</RequestId>\n  <HostId>b.oss-cn-hangzhou.aliyuncs.com</HostId>\n  \
            <Bucket>b</Bucket>\n  <Endpoint>oss-cn-shanghai.aliyuncs.com</Endpoint>\n  <EC>0003-00001403</EC>\n</Error>";
        let error = error(body).unwrap();
        assert_eq!((error.code.as_str(), error.request_id.as_str()), ("AccessDenied", "5C3D9175B6FC201293AD4890"));
        assert_eq!(error.endpoint, "oss-cn-shanghai.aliyuncs.com");
    }

    #[test]
    fn a_page_of_a_gateway_is_no_error_of_the_vendor() {
        assert_eq!(error(b"<html><body>502 Bad Gateway</body></html>"), None);
        assert_eq!(error(b"{\"Code\":\"x\"}"), None);
        assert_eq!(error(b""), None);
    }
}
