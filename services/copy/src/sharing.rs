//! Asks the share service to pass a copy on, and reads how far it is.
//!
//! A start carries a request id that follows from the operation, the region and the image, so that a repetition
//! starts nothing new.

use std::collections::{BTreeMap, HashMap};

use sampan_chassis::convert::spec::MAX_LABELS;
use sampan_chassis::{PeerTransport, convert};
use sampan_core::{ImageId, OperationId, Region};
use sampan_proto::image::v1::ImageReference;
use sampan_proto::operation::v1 as operation_pb;
use sampan_proto::operation::v1::operation_service_client::OperationServiceClient;
use sampan_proto::operation::v1::{GetOperationRequest, OperationState, TargetState};
use sampan_proto::quota::v1::WhenQuotaSpent;
use sampan_proto::share::v1::share_service_client::ShareServiceClient;
use sampan_proto::share::v1::{ShareImageRequest, ShareSpec};
use tonic::{Code, Status};

use crate::keys;
use crate::spec::CopySpec;

/// Label of a share that names the copy which has started it.
const COPY_LABEL: &str = "sampan-copy";

/// The copy that asks for shares.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Origin {
    /// The operation.
    pub(crate) operation: OperationId,
    /// The labels that its caller gave it, which its shares get too.
    pub(crate) labels: BTreeMap<String, String>,
}

/// An operation of the share service.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Asked {
    /// Its name.
    pub(crate) operation: String,
    /// How far it is.
    pub(crate) state: Passing,
}

/// How far the sharing of a copy is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Passing {
    /// It goes on.
    Goes,
    /// Every account has the copy.
    Shared,
    /// Nothing more comes of it here.
    Ended {
        /// Accounts that have the copy.
        accounts: Vec<String>,
        /// What is wrong, or still to come.
        problem: String,
    },
}

/// The share service did not answer, or refused.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Refusal {
    /// Whether the same question may be answered later.
    pub(crate) may_pass: bool,
    /// What it said.
    pub(crate) message: String,
}

/// Starts the share of a copy, or finds the one that was started before.
///
/// # Errors
/// [`Refusal`] when the share service cannot be reached or refuses.
pub(crate) async fn start(
    transport: &PeerTransport,
    spec: &CopySpec,
    origin: &Origin,
    region: &Region,
    image: &ImageId,
) -> Result<Asked, Refusal> {
    let when_spent = if spec.queue_when_quota_spent { WhenQuotaSpent::Queue } else { WhenQuotaSpent::Fail };
    let request = ShareImageRequest {
        request_id: keys::share_request(origin.operation, region, image.as_str()).to_string(),
        spec: Some(ShareSpec {
            image: Some(ImageReference {
                cloud: convert::image::cloud(spec.cloud) as i32,
                account: spec.account.to_string(),
                region: region.to_string(),
                image_id: image.to_string(),
            }),
            account_ids: spec.share_with.clone(),
            include_copies: false,
            when_quota_spent: when_spent as i32,
        }),
        labels: labels(origin),
    };
    let answer = ShareServiceClient::new(transport.clone()).share_image(request).await;
    answer.map_err(|status| refusal(&status)).map(|answer| read(answer.into_inner().operation.unwrap_or_default()))
}

/// The caller's labels, and ours where there is room for it.
fn labels(origin: &Origin) -> HashMap<String, String> {
    let mut labels: HashMap<_, _> = origin.labels.clone().into_iter().collect();
    if labels.len() < MAX_LABELS || labels.contains_key(COPY_LABEL) {
        labels.insert(COPY_LABEL.to_owned(), origin.operation.to_string());
    }
    labels
}

/// Reads how far an operation of the share service is.
///
/// # Errors
/// [`Refusal`] when the share service cannot be reached or refuses.
pub(crate) async fn look(transport: &PeerTransport, operation: &str) -> Result<Asked, Refusal> {
    let request = GetOperationRequest { name: operation.to_owned() };
    let answer = OperationServiceClient::new(transport.clone()).get_operation(request).await;
    answer.map_err(|status| refusal(&status)).map(|answer| read(answer.into_inner().operation.unwrap_or_default()))
}

fn refusal(status: &Status) -> Refusal {
    let may_pass = match status.code() {
        Code::Unavailable
        | Code::DeadlineExceeded
        | Code::Aborted
        | Code::Unknown
        | Code::Internal
        | Code::Cancelled => true,
        // A day that is spent does not come back within the life of this question.
        Code::ResourceExhausted
        | Code::InvalidArgument
        | Code::NotFound
        | Code::AlreadyExists
        | Code::PermissionDenied
        | Code::FailedPrecondition
        | Code::OutOfRange
        | Code::Unimplemented
        | Code::DataLoss
        | Code::Unauthenticated
        | Code::Ok => false,
    };
    Refusal { may_pass, message: status.message().to_owned() }
}

fn read(operation: operation_pb::Operation) -> Asked {
    let state = match OperationState::try_from(operation.state) {
        Ok(OperationState::Succeeded) => Passing::Shared,
        Ok(OperationState::WaitingForQuota) => Passing::Ended {
            accounts: Vec::new(),
            problem: format!("{} waits for the day's quota and shares it by itself then", operation.name),
        },
        Ok(OperationState::PartiallySucceeded | OperationState::Failed | OperationState::Cancelled) => {
            let has_it = |target: &&operation_pb::Target| target.state == TargetState::Succeeded as i32;
            let why = operation.error.as_ref().map_or("it was cancelled", |error| error.message.as_str());
            Passing::Ended {
                accounts: operation.targets.iter().filter(has_it).map(|target| target.id.clone()).collect(),
                problem: format!("{}: {why}", operation.name),
            }
        }
        Ok(OperationState::Running | OperationState::Cancelling | OperationState::Unspecified) | Err(_) => {
            Passing::Goes
        }
    };
    Asked { operation: operation.name, state }
}
