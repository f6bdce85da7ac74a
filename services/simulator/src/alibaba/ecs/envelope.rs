//! Decides how answers and refusals of ECS are written: JSON or XML, status, headers.

use std::fmt::Write;

use axum::body::Body;
use http::{HeaderValue, Response, StatusCode, header};
use serde_json::{Map, Value, json};

use super::refusal::Refusal;

/// What the envelope needs to know of the request.
#[derive(Debug, Clone)]
pub(super) struct Envelope {
    /// Upper-case UUID.
    pub(super) request_id: String,
    /// The host that the caller named.
    pub(super) host_id: String,
    /// Vendor action, for the root element of XML.
    pub(super) action: String,
    /// False for RPC calls that did not ask for `Format=JSON`.
    pub(super) is_json: bool,
}

impl Envelope {
    /// Writes an accepted call's `fields`, with the request id among them.
    pub(super) fn accepted(&self, mut fields: Map<String, Value>) -> Response<Body> {
        fields.insert("RequestId".to_owned(), self.request_id.clone().into());
        self.write(StatusCode::OK, &format!("{}Response", self.action), Value::Object(fields))
    }

    /// Writes a refusal.
    pub(super) fn refused(&self, refusal: &Refusal) -> Response<Body> {
        let fields = json!({
            "RequestId": self.request_id,
            "HostId": self.host_id,
            "Code": refusal.code,
            "Message": refusal.message,
            "Recommend": format!("https://api.aliyun.com/troubleshoot?q={}&product=Ecs", refusal.code),
        });
        let mut response = self.write(refusal.status, "Error", fields);
        if let Some(seconds) = refusal.retry_after_seconds {
            response.headers_mut().insert("x-acs-retry-after", HeaderValue::from(seconds));
        }
        response
    }

    fn write(&self, status: StatusCode, root: &str, fields: Value) -> Response<Body> {
        let (kind, text) = if self.is_json {
            ("application/json;charset=utf-8", fields.to_string())
        } else {
            let mut text = String::from("<?xml version='1.0' encoding='UTF-8'?>");
            write_element(&mut text, root, &fields);
            ("text/xml;charset=utf-8", text)
        };
        let mut response = Response::new(Body::from(text));
        *response.status_mut() = status;
        let headers = response.headers_mut();
        headers.insert(header::CONTENT_TYPE, HeaderValue::from_static(kind));
        if let Ok(id) = HeaderValue::from_str(&self.request_id) {
            headers.insert("x-acs-request-id", id);
        }
        response
    }
}

/// Writes one JSON value as an element; the entries of a list become elements of the list's own name.
fn write_element(text: &mut String, name: &str, value: &Value) {
    if let Value::Array(entries) = value {
        entries.iter().for_each(|entry| write_element(text, name, entry));
        return;
    }
    // Writing into a string cannot fail.
    let _ = write!(text, "<{name}>");
    match value {
        Value::Object(fields) => fields.iter().for_each(|(name, value)| write_element(text, name, value)),
        Value::String(words) => text.push_str(&quick_xml::escape::escape(words.as_str())),
        Value::Null => {}
        other => {
            let _ = write!(text, "{other}");
        }
    }
    let _ = write!(text, "</{name}>");
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lists_become_repeated_elements_and_text_is_escaped() {
        let mut text = String::new();
        let value = json!({"Images": {"Image": [{"Size": 40, "ImageName": "a<b"}, {"Size": 1, "ImageName": ""}]}, "TotalCount": 2});
        write_element(&mut text, "DescribeImagesResponse", &value);
        assert_eq!(
            text,
            "<DescribeImagesResponse><Images><Image><ImageName>a&lt;b</ImageName><Size>40</Size></Image><Image><ImageName></ImageName><Size>1</Size></Image></Images><TotalCount>2</TotalCount></DescribeImagesResponse>"
        );
    }
}
