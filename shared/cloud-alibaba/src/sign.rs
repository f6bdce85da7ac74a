//! Signs the attempts of one account: credentials and time meet the pure signatures here.

use std::sync::Arc;

use async_trait::async_trait;
use bytes::Bytes;
use reqsign_aliyun_oss::Credential;
use sampan_cloud::stack::{ApiRequest, CredentialCache, SignError, Signer};
use sampan_core::SharedClock;
use uuid::Uuid;

use crate::acs3::{self, Unsignable};
use crate::hosts::Hosts;
use crate::oss4;

/// What both signers need.
#[derive(Debug, Clone)]
pub(crate) struct Pen {
    pub(crate) credentials: Arc<CredentialCache<Credential>>,
    pub(crate) clock: SharedClock,
}

/// Signs calls of ECS.
#[derive(Debug)]
pub(crate) struct EcsSigner(pub(crate) Pen);

/// Signs calls of OSS.
#[derive(Debug)]
pub(crate) struct OssSigner {
    pub(crate) pen: Pen,
    pub(crate) hosts: Arc<Hosts>,
}

#[async_trait]
impl Signer for EcsSigner {
    async fn sign(&self, _: &ApiRequest, http: &mut http::Request<Bytes>) -> Result<(), SignError> {
        let keys = self.0.credentials.get().await?;
        let nonce = Uuid::new_v4().simple().to_string();
        on_parts(http, |parts, body| acs3::sign(parts, body, &keys, self.0.clock.now(), &nonce))
    }

    async fn renew(&self) -> bool {
        self.0.credentials.renew().await
    }
}

#[async_trait]
impl Signer for OssSigner {
    async fn sign(&self, request: &ApiRequest, http: &mut http::Request<Bytes>) -> Result<(), SignError> {
        let Some(resource) = self.hosts.resource(request) else {
            return Err(SignError::Request("its address is not that of a bucket".to_owned()));
        };
        let keys = self.pen.credentials.get().await?;
        on_parts(http, |parts, _| oss4::sign(parts, &resource, &keys, self.pen.clock.now()))
    }

    async fn renew(&self) -> bool {
        self.pen.credentials.renew().await
    }
}

fn on_parts(
    http: &mut http::Request<Bytes>,
    sign: impl FnOnce(&mut http::request::Parts, &[u8]) -> Result<(), Unsignable>,
) -> Result<(), SignError> {
    let (mut parts, body) = std::mem::take(http).into_parts();
    let signed = sign(&mut parts, &body);
    *http = http::Request::from_parts(parts, body);
    signed.map_err(|error| SignError::Request(error.to_string()))
}
