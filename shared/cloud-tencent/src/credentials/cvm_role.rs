//! The role of a CVM instance, from its metadata service.

use bytes::Bytes;
use http::StatusCode;
use reqsign_core::time::Timestamp;
use reqsign_core::{Context, ProvideCredential};
use reqsign_tencent_cos::Credential;
use serde::Deserialize;

use super::invalid;

#[derive(Debug)]
pub(crate) struct CvmRole {
    pub(crate) role: Option<String>,
    pub(crate) endpoint: String,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Issued {
    code: Option<String>,
    tmp_secret_id: Option<String>,
    tmp_secret_key: Option<String>,
    token: Option<String>,
    expired_time: Option<i64>,
}

impl ProvideCredential for CvmRole {
    type Credential = Credential;

    async fn provide_credential(&self, context: &Context) -> reqsign_core::Result<Option<Credential>> {
        let role = match &self.role {
            Some(role) => role.clone(),
            None => match self.get(context, "").await? {
                Some(role) if !role.trim().is_empty() => role.trim().to_owned(),
                Some(_) | None => return Ok(None),
            },
        };
        let Some(text) = self.get(context, &role).await? else {
            return Err(invalid(format!("the metadata service knows no role `{role}`")));
        };
        let issued: Issued =
            serde_json::from_str(&text).map_err(|_| invalid("the metadata service's answer is not readable"))?;
        match issued {
            Issued { code: Some(code), tmp_secret_id: Some(id), tmp_secret_key: Some(key), token, expired_time }
                if code == "Success" =>
            {
                Ok(Some(Credential {
                    secret_id: id,
                    secret_key: key,
                    security_token: token,
                    expires_in: expired_time.map(Timestamp::from_second).transpose()?,
                }))
            }
            _ => Err(invalid("the metadata service issued no credentials")),
        }
    }
}

impl CvmRole {
    /// Reads one entry; `None` when there is none.
    async fn get(&self, context: &Context, name: &str) -> reqsign_core::Result<Option<String>> {
        let url = format!("{}/latest/meta-data/cam/security-credentials/{name}", self.endpoint);
        let answer = context.http_send_as_string(http::Request::get(url).body(Bytes::new())?).await?;
        match answer.status() {
            StatusCode::OK => Ok(Some(answer.into_body())),
            StatusCode::NOT_FOUND => Ok(None),
            status => {
                let passes = status.is_server_error() || status == StatusCode::TOO_MANY_REQUESTS;
                Err(invalid(format!("the metadata service answered {status}")).set_retryable(passes))
            }
        }
    }
}
