//! The ECS API as one account sees it: builds calls and reads answers; each action has a file of its own.

mod cancel_copy_image;
mod cancel_task;
mod copy_image;
mod copy_snapshot;
mod create_image;
mod decode;
mod delete_image;
mod delete_snapshot;
mod describe_image_share_permission;
mod describe_images;
mod describe_regions;
mod describe_snapshots;
mod describe_task_attribute;
mod describe_tasks;
mod export_image;
mod modify_image_share_permission;
mod parameters;

pub(crate) use copy_image::ACTION as COPY_ACTION;
pub(crate) use decode::EcsDecoder;
pub(crate) use describe_image_share_permission::AccountRow;
pub(crate) use describe_images::{ImageRow, MOST_IMAGES, MappingRow};
pub(crate) use describe_snapshots::{MOST_SNAPSHOTS, SnapshotRow};
pub(crate) use describe_task_attribute::TaskDetail;
pub(crate) use describe_tasks::{MOST_TASKS, TaskRow};
pub(crate) use export_image::ACTION as EXPORT_ACTION;
pub(crate) use modify_image_share_permission::{ACTION as SHARE_ACTION, MOST_ACCOUNTS};

use std::sync::Arc;

use http::{HeaderValue, Method};
use sampan_cloud::stack::{ApiRequest, Idempotency, Reply, Stack};
use sampan_cloud::{CallClass, CallError};
use sampan_core::{Cloud, Reason, Region};
use serde::de::DeserializeOwned;

use crate::hosts::Hosts;

/// API version of every action.
const VERSION: &str = "2014-05-26";
/// Page size, the largest that the vendor takes.
const PAGE: u64 = 100;
/// Pages that are read at most; more would be a listing that never ends.
const MOST_PAGES: u64 = 50;
/// The one rate that the vendor publishes is 1000 calls of `CopyImage` a minute and region; the others are paced alike.
const CALLS_PER_SECOND: u32 = 16;

/// Calls of one account. Cheap to clone.
#[derive(Debug, Clone)]
pub(crate) struct Ecs {
    pub(crate) stack: Stack,
    pub(crate) hosts: Arc<Hosts>,
}

/// Parameters of fixed names; those without a value are left out of the call.
type Parameters = Vec<(&'static str, Option<String>)>;

impl Ecs {
    fn request(
        &self,
        action: &'static str,
        region: &Region,
        parameters: impl IntoIterator<Item = (impl Into<String>, Option<String>)>,
    ) -> ApiRequest {
        let mut request = ApiRequest::get(Cloud::Alibaba, "ecs", action, region, self.hosts.api(region));
        request.method = Method::POST;
        request.query = vec![("RegionId".to_owned(), region.to_string())];
        let given = parameters.into_iter().filter_map(|(name, value)| Some((name.into(), value?)));
        request.query.extend(given);
        request.headers.insert("accept", HeaderValue::from_static("application/json"));
        request.headers.insert("x-acs-version", HeaderValue::from_static(VERSION));
        request.headers.insert("x-acs-action", HeaderValue::from_static(action));
        request.per_second = Some(CALLS_PER_SECOND);
        request
    }

    /// Makes a call that only reads.
    async fn read<T: DeserializeOwned>(
        &self,
        action: &'static str,
        region: &Region,
        parameters: Parameters,
    ) -> Result<T, CallError> {
        let request = self.request(action, region, parameters);
        Box::pin(self.stack.call(request, body)).await
    }

    /// Makes a call that changes something.
    async fn write<T: DeserializeOwned>(
        &self,
        action: &'static str,
        region: &Region,
        parameters: impl IntoIterator<Item = (impl Into<String>, Option<String>)>,
        idempotency: Idempotency,
    ) -> Result<(T, String), CallError> {
        let mut request = self.request(action, region, parameters);
        request.idempotency = idempotency;
        let parse = |reply: &Reply| Ok((body(reply)?, reply.request_id.clone().unwrap_or_default()));
        Box::pin(self.stack.call(request, parse)).await
    }
}

fn body<T: DeserializeOwned>(reply: &Reply) -> Result<T, String> {
    serde_json::from_slice(&reply.body).map_err(|error| format!("the answer has another form: {error}"))
}

/// Makes the error of a call that is refused before it is sent.
fn refuse(action: &'static str, reason: Reason, message: &str) -> CallError {
    CallError {
        cloud: Cloud::Alibaba,
        action,
        class: CallClass::Caller,
        reason,
        code: None,
        message: message.to_owned(),
        request_id: None,
        http_status: None,
        retry_after: None,
        attempts: 0,
    }
}
