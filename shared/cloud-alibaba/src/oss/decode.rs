//! Reads the answers of OSS: errors are XML in the body or, for HEAD, in a header.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use bytes::Bytes;
use http::{HeaderMap, Method, Response};
use sampan_cloud::stack::{ApiRequest, Decoder, Failure, Reply};

use super::get_bucket_info;
use crate::codes;
use crate::xml::{self, ErrorBody};

/// The decoder of every OSS operation.
#[derive(Debug)]
pub(crate) struct OssDecoder;

impl Decoder for OssDecoder {
    fn decode(&self, request: &ApiRequest, response: Response<Bytes>) -> Result<Reply, Failure> {
        let status = response.status();
        let request_id = text(response.headers(), "x-oss-request-id").map(ToOwned::to_owned);
        if status.is_success() {
            return Ok(Reply::new(response, request_id));
        }
        let Some(error) = error_of(&response) else {
            // Nothing of the vendor's is in it; a HEAD has no body by nature, so there the status has to do.
            if request.method != Method::HEAD {
                let what = format!("an answer with status {status} has no code of the vendor");
                return Err(Failure::unreadable(what));
            }
            let error = ErrorBody { message: format!("the answer has status {status}"), ..ErrorBody::default() };
            return Err(failure(error, status.as_u16(), request_id));
        };
        if request.action == get_bucket_info::ACTION && get_bucket_info::region_of(&error).is_some() {
            // Refused here, but it tells where the bucket is: that is an answer to the question.
            return Ok(Reply::new(response, request_id));
        }
        Err(failure(error, status.as_u16(), request_id))
    }
}

fn failure(error: ErrorBody, status: u16, request_id: Option<String>) -> Failure {
    let meaning = codes::oss(&error.code, status);
    let mut failure = Failure::new(meaning.class, meaning.reason, error.message);
    failure.renew_credentials = codes::credentials_may_have_changed(meaning, &error.code);
    failure.code = Some(error.code).filter(|code| !code.is_empty());
    failure.request_id = request_id.or(Some(error.request_id)).filter(|id| !id.is_empty());
    failure
}

fn error_of(response: &Response<Bytes>) -> Option<ErrorBody> {
    xml::error(response.body()).or_else(|| {
        let header = text(response.headers(), "x-oss-err")?;
        xml::error(&STANDARD.decode(header).ok()?)
    })
}

fn text<'a>(headers: &'a HeaderMap, name: &str) -> Option<&'a str> {
    headers.get(name).and_then(|value| value.to_str().ok())
}
