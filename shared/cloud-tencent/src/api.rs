//! The frame that every call of the API shares: request headers, the `Response` envelope, its errors.

use bytes::Bytes;
use http::header::CONTENT_TYPE;
use http::{HeaderMap, HeaderValue, Method};
use sampan_cloud::stack::{ApiRequest, Decoder, Failure, Idempotency, Reply, Stack};
use sampan_cloud::{CallClass, CallError};
use sampan_core::{Cloud, Reason, Region};
use serde::Deserialize;
use serde::de::DeserializeOwned;
use serde_json::Value;

use crate::codes::{self, DRY_RUN_SUCCESS};
use crate::config::{Endpoints, Language};

/// One action as the vendor documents it.
#[derive(Debug)]
pub(crate) struct Action {
    pub(crate) service: Service,
    pub(crate) name: &'static str,
    /// Requests per second and region.
    pub(crate) per_second: Option<u32>,
}

/// A product of the vendor.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Service {
    Cvm,
    Cbs,
}

impl Service {
    fn as_str(self) -> &'static str {
        match self {
            Self::Cvm => "cvm",
            Self::Cbs => "cbs",
        }
    }

    fn version(self) -> &'static str {
        match self {
            Self::Cvm | Self::Cbs => "2017-03-12",
        }
    }
}

/// The API of one account. Cheap to clone.
#[derive(Debug, Clone)]
pub(crate) struct Api {
    pub(crate) stack: Stack,
    pub(crate) endpoints: Endpoints,
    pub(crate) language: Language,
}

/// A decoded answer with the vendor's request id.
#[derive(Debug)]
pub(crate) struct Answer<T> {
    pub(crate) content: T,
    pub(crate) request_id: String,
}

impl Api {
    /// Builds the request of `action`; `body` is its object of parameters.
    pub(crate) fn request(
        &self,
        action: &Action,
        region: &Region,
        idempotency: Idempotency,
        body: &Value,
    ) -> ApiRequest {
        let endpoint = match action.service {
            Service::Cvm => self.endpoints.cvm(region),
            Service::Cbs => self.endpoints.cbs(region),
        };
        ApiRequest {
            method: Method::POST,
            headers: headers(action, region, self.language),
            body: Bytes::from(body.to_string()),
            idempotency,
            per_second: action.per_second,
            ..ApiRequest::get(Cloud::Tencent, action.service.as_str(), action.name, region, endpoint)
        }
    }

    /// Sends `request` and reads the object in its envelope as `T`.
    pub(crate) async fn call<T: DeserializeOwned>(&self, request: ApiRequest) -> Result<Answer<T>, CallError> {
        let read = |reply: &Reply| {
            let envelope: Envelope<T> = serde_json::from_slice(&reply.body).map_err(|error| error.to_string())?;
            let request_id = reply.request_id.clone().unwrap_or_default();
            Ok(Answer { content: envelope.response, request_id })
        };
        self.stack.call(request, read).await
    }
}

fn headers(action: &Action, region: &Region, language: Language) -> HeaderMap {
    let mut headers = HeaderMap::new();
    headers.insert(CONTENT_TYPE, HeaderValue::from_static("application/json"));
    headers.insert("x-tc-action", HeaderValue::from_static(action.name));
    headers.insert("x-tc-version", HeaderValue::from_static(action.service.version()));
    headers.insert("x-tc-language", HeaderValue::from_static(language.as_str()));
    // A region holds letters, digits and hyphens only, so this never fails.
    if let Ok(region) = HeaderValue::from_str(region.as_str()) {
        headers.insert("x-tc-region", region);
    }
    headers
}

#[derive(Deserialize)]
struct Envelope<T> {
    #[serde(rename = "Response")]
    response: T,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Outcome {
    error: Option<VendorError>,
    request_id: Option<String>,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct VendorError {
    code: Option<String>,
    message: Option<String>,
}

/// Looks at `Response.Error`, whatever the status (errors come with 200) and the content type of the answer.
#[derive(Debug)]
pub(crate) struct ApiDecoder;

impl Decoder for ApiDecoder {
    fn decode(&self, request: &ApiRequest, response: http::Response<Bytes>) -> Result<Reply, Failure> {
        let Ok(Envelope { response: outcome }) = serde_json::from_slice::<Envelope<Outcome>>(response.body()) else {
            return Err(without_envelope(response.status().as_u16()));
        };
        let Some(error) = outcome.error else { return Ok(Reply::new(response, outcome.request_id)) };
        let code = error.code.unwrap_or_default();
        if code == DRY_RUN_SUCCESS {
            return Ok(Reply::new(response, outcome.request_id));
        }
        let meaning = codes::of_api(request.action, &code);
        // A read has no effect whose outcome could be unknown.
        let harmless = meaning.class == CallClass::UnknownOutcome && request.idempotency == Idempotency::Safe;
        let class = if harmless { CallClass::Caller } else { meaning.class };
        let mut failure = Failure::new(class, meaning.reason, error.message.unwrap_or_default());
        failure.code = Some(code);
        failure.request_id = outcome.request_id;
        failure.renew_credentials = meaning.renew_credentials;
        Err(failure)
    }
}

/// Judges what is no answer of the API, such as a gateway's page, by its status.
fn without_envelope(status: u16) -> Failure {
    match status {
        429 => Failure::new(CallClass::Throttled, Reason::CloudThrottled, "a gateway asks for fewer requests"),
        500.. => Failure::new(CallClass::Transient, Reason::CloudUnavailable, "a gateway answered with a fault"),
        _ => Failure::unreadable("the answer has no Response object"),
    }
}

/// Makes the error of a call that is refused before it is sent.
pub(crate) fn refuse(action: &'static str, reason: Reason, message: impl Into<String>) -> CallError {
    CallError {
        cloud: Cloud::Tencent,
        action,
        class: CallClass::Caller,
        reason,
        code: None,
        message: message.into(),
        request_id: None,
        http_status: None,
        retry_after: None,
        attempts: 0,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn decode(idempotency: Idempotency, status: u16, content_type: &str, body: &str) -> Result<Reply, Failure> {
        let region = "ap-guangzhou".parse().unwrap();
        let request = ApiRequest {
            idempotency,
            ..ApiRequest::get(Cloud::Tencent, "cvm", "ExportImages", &region, "https://cvm.tencentcloudapi.com")
        };
        let response = http::Response::builder().status(status).header(CONTENT_TYPE, content_type);
        ApiDecoder.decode(&request, response.body(Bytes::copy_from_slice(body.as_bytes())).unwrap())
    }

    fn error(code: &str) -> String {
        format!(r#"{{"Response":{{"Error":{{"Code":"{code}","Message":"m"}},"RequestId":"r-1"}}}}"#)
    }

    #[test]
    fn an_error_is_seen_whatever_the_status_and_content_type_say() {
        for content_type in ["application/json", "application/json; charset=utf-8", "text/html"] {
            let failure = decode(Idempotency::Safe, 200, content_type, &error("InvalidImageId.NotFound")).unwrap_err();
            assert_eq!((failure.class, failure.reason), (CallClass::NotFound, Reason::ImageNotFound));
            assert_eq!(failure.code.as_deref(), Some("InvalidImageId.NotFound"));
            assert_eq!(failure.request_id.as_deref(), Some("r-1"));
        }
    }

    #[test]
    fn a_dry_run_that_would_succeed_is_a_success_in_both_spellings() {
        assert!(decode(Idempotency::Safe, 200, "application/json", &error("DryRunOperation")).is_ok());
        assert!(decode(Idempotency::Safe, 200, "application/json", r#"{"Response":{"RequestId":"r"}}"#).is_ok());
    }

    #[test]
    fn a_code_of_an_unknown_family_is_final_for_a_read_and_unknown_for_a_change() {
        let class = |idempotency| decode(idempotency, 200, "application/json", &error("Novelty")).unwrap_err().class;
        assert_eq!(class(Idempotency::Safe), CallClass::Caller);
        assert_eq!(class(Idempotency::Unsafe), CallClass::UnknownOutcome);
    }

    #[test]
    fn what_is_no_envelope_is_judged_by_its_status() {
        let of = |status, body| decode(Idempotency::Safe, status, "text/html", body).unwrap_err();
        assert_eq!(of(502, "<html>").reason, Reason::CloudUnavailable);
        assert_eq!(of(429, "").class, CallClass::Throttled);
        assert_eq!(of(200, "<html>").reason, Reason::CloudAnswerUnreadable);
        assert_eq!(of(200, r#"{"Response":"#).reason, Reason::CloudAnswerUnreadable);
    }
}
