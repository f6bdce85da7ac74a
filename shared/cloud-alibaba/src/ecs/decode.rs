//! Reads the envelope of ECS: errors by their code, everything else by whether it is JSON at all.

use bytes::Bytes;
use http::Response;
use sampan_cloud::stack::{ApiRequest, Decoder, Failure, Reply};
use serde::Deserialize;

use crate::codes;
use crate::lenient::Scalar;
use crate::xml;

/// The decoder of every ECS action.
#[derive(Debug)]
pub(crate) struct EcsDecoder;

#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "PascalCase", default)]
struct Envelope {
    request_id: Scalar,
    code: Scalar,
    message: Scalar,
}

impl Decoder for EcsDecoder {
    fn decode(&self, request: &ApiRequest, response: Response<Bytes>) -> Result<Reply, Failure> {
        let status = response.status();
        let envelope = serde_json::from_slice::<Envelope>(response.body()).ok();
        if status.is_success() {
            let Some(envelope) = envelope else {
                return Err(Failure::unreadable("the answer is no JSON object"));
            };
            let request_id = envelope.request_id.non_empty().map(ToOwned::to_owned);
            return Ok(Reply::new(response, request_id));
        }
        let envelope = envelope.or_else(|| envelope_of_xml(response.body())).unwrap_or_default();
        let Some(code) = envelope.code.non_empty() else {
            return Err(Failure::unreadable(format!("an answer with status {status} has no code of the vendor")));
        };
        let meaning = codes::ecs(request.action, code, status.as_u16());
        let mut failure = Failure::new(meaning.class, meaning.reason, envelope.message.text());
        failure.code = Some(code.to_owned());
        failure.request_id = envelope.request_id.non_empty().map(ToOwned::to_owned);
        failure.renew_credentials = codes::credentials_may_have_changed(meaning, code);
        Err(failure)
    }
}

/// Gateways in front of the API answer in XML whatever was asked for.
fn envelope_of_xml(body: &[u8]) -> Option<Envelope> {
    let error = xml::error(body)?;
    let scalar = |text: String| serde_json::from_value(text.into()).unwrap_or_default();
    Some(Envelope { request_id: scalar(error.request_id), code: scalar(error.code), message: scalar(error.message) })
}
