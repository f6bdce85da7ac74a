//! Makes the links by which artifacts are downloaded.

use std::time::Duration;

use futures::future::try_join_all;
use sampan_chassis::convert;
use sampan_chassis::status::Problem;
use sampan_cloud::bucket::BucketRef;
use sampan_cloud::{Account, CallError};
use sampan_core::{OperationId, Reason, Violation};
use sampan_proto::export::v1 as pb;
use sampan_state::result::ExportResult;

use crate::rules::Finding;

const DEFAULT_VALIDITY: Duration = Duration::from_secs(3600);
const VALIDITY_SECONDS: std::ops::RangeInclusive<i64> = 60..=7 * 24 * 3600;

/// Checks the fields of a request for links.
pub(crate) fn parse(request: &pb::CreateDownloadUrlsRequest) -> Result<(OperationId, Duration), Vec<Violation>> {
    let mut broken = Vec::new();
    let id = request.operation_name.parse::<OperationId>().map_err(|error| {
        let reason = if request.operation_name.is_empty() { Reason::FieldRequired } else { Reason::FieldMalformed };
        let finding = Finding::new(reason, "operation_name").message(error.to_string());
        broken.push(finding.fix("Use the name of an export that succeeded, operations/<uuid>").violation());
    });
    let valid_for = match request.valid_for {
        None => DEFAULT_VALIDITY,
        Some(asked) if VALIDITY_SECONDS.contains(&asked.seconds) && (0..1_000_000_000).contains(&asked.nanos) => {
            Duration::from_secs(asked.seconds.unsigned_abs())
        }
        Some(asked) => {
            let finding = Finding::new(Reason::NumberOutOfRange, "valid_for").message("valid_for is out of range");
            let finding = finding.fix("Choose 1 minute to 7 days, or leave it unset for 1 hour");
            broken.push(finding.limit("1 minute to 7 days", format!("{} s", asked.seconds)).violation());
            DEFAULT_VALIDITY
        }
    };
    match id {
        Ok(id) if broken.is_empty() => Ok((id, valid_for)),
        Ok(_) | Err(()) => Err(broken),
    }
}

/// Makes one link per artifact.
pub(crate) async fn create(
    account: &Account,
    bucket: &BucketRef,
    result: &ExportResult,
    valid_for: Duration,
) -> Result<pb::CreateDownloadUrlsResponse, Problem> {
    let signing = result.artifacts.iter().map(|artifact| async move {
        let signed = account.buckets.presign_get(bucket, &artifact.key, valid_for).await?;
        Ok::<_, CallError>(pb::DownloadUrl {
            artifact: Some(convert::export::artifact(artifact)),
            expire_time: Some(convert::time::timestamp(signed.expires)),
            url: signed.url,
        })
    });
    let urls = try_join_all(signing).await.map_err(|error| Problem::new(error.reason, error.to_string()))?;
    Ok(pb::CreateDownloadUrlsResponse { urls })
}
