//! A role that other credentials assume, by `AssumeRole` of STS.

use bytes::Bytes;
use http::header::{CONTENT_TYPE, HOST};
use reqsign_core::time::Timestamp;
use reqsign_core::{Context, ProvideCredential};
use reqsign_tencent_cos::Credential;
use sampan_cloud::CallClass;
use sampan_cloud::stack::SignError;
use sampan_core::SharedClock;
use serde::Deserialize;
use serde_json::json;

use super::{Provider, invalid};
use crate::{codes, tc3};

/// A role to assume.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Role {
    /// Its name in full, such as `qcs::cam::uin/100000000001:roleName/exporter`.
    pub arn: String,
    /// Name that the vendor's audit log shows; `sampan` by default.
    pub session_name: String,
    /// Lifetime of the credentials, in seconds; 7200 by default, 43200 at most.
    pub duration_seconds: u32,
}

impl Role {
    /// Describes the role `arn` with the default session name and lifetime.
    pub fn new(arn: impl Into<String>) -> Self {
        Self { arn: arn.into(), session_name: "sampan".to_owned(), duration_seconds: 7200 }
    }
}

#[derive(Debug)]
pub(crate) struct AssumeRole {
    pub(crate) base: Provider,
    pub(crate) role: Role,
    pub(crate) endpoint: String,
    pub(crate) clock: SharedClock,
}

#[derive(Deserialize)]
struct Envelope {
    #[serde(rename = "Response")]
    response: Answer,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Answer {
    error: Option<VendorError>,
    credentials: Option<Issued>,
    expired_time: Option<i64>,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct VendorError {
    code: Option<String>,
    message: Option<String>,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Issued {
    token: String,
    tmp_secret_id: String,
    tmp_secret_key: String,
}

impl ProvideCredential for AssumeRole {
    type Credential = Credential;

    async fn provide_credential(&self, context: &Context) -> reqsign_core::Result<Option<Credential>> {
        let Some(base) = self.base.provide_credential_dyn(context).await? else { return Ok(None) };
        let mut request = self.request()?;
        tc3::sign(&mut request, "sts", &base, self.clock.now())
            .map_err(|error: SignError| invalid(error.to_string()))?;
        let answer = context.http_send(request).await?;
        let envelope: Envelope =
            serde_json::from_slice(answer.body()).map_err(|_| invalid("the answer of STS is not readable"))?;
        match envelope.response {
            Answer { error: Some(error), .. } => {
                let (code, message) = (error.code.unwrap_or_default(), error.message.unwrap_or_default());
                let passes =
                    matches!(codes::of_api("AssumeRole", &code).class, CallClass::Transient | CallClass::Throttled);
                Err(invalid(format!("STS refused the role: {code}: {message}")).set_retryable(passes))
            }
            Answer { credentials: Some(issued), expired_time, .. } => Ok(Some(Credential {
                secret_id: issued.tmp_secret_id,
                secret_key: issued.tmp_secret_key,
                security_token: Some(issued.token),
                expires_in: expired_time.map(Timestamp::from_second).transpose()?,
            })),
            Answer { .. } => Err(invalid("STS issued no credentials")),
        }
    }
}

impl AssumeRole {
    fn request(&self) -> reqsign_core::Result<http::Request<Bytes>> {
        let Role { arn, session_name, duration_seconds } = &self.role;
        let body = json!({ "RoleArn": arn, "RoleSessionName": session_name, "DurationSeconds": duration_seconds });
        let host = self.endpoint.split_once("://").map_or(self.endpoint.as_str(), |(_, host)| host);
        Ok(http::Request::post(format!("{}/", self.endpoint))
            .header(HOST, host)
            .header(CONTENT_TYPE, "application/json")
            .header("x-tc-action", "AssumeRole")
            .header("x-tc-version", "2018-08-13")
            .header("x-tc-region", "ap-guangzhou")
            .body(Bytes::from(body.to_string()))?)
    }
}
