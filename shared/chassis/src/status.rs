//! Decides how a refusal or a failure looks to a gRPC caller: the one file that makes a `tonic::Status`.
//!
//! Which reason fits is decided where the failure happens; the canonical code of a reason is part of
//! [`sampan_core::reason`]. Everywhere else a [`Problem`] is built and converted.

use std::collections::{BTreeMap, HashMap};
use std::time::Duration;

use jiff::Timestamp;
use sampan_cloud::{CallClass, CallError};
use sampan_core::reason::{Code, Reason};
use sampan_core::{Severity, Violation};
use sampan_state::quota::QuotaPicture;
use tonic::Status;
use tonic_types::{ErrorDetails, FieldViolation, PreconditionViolation, QuotaViolation, StatusExt as _};

use crate::layers::request_id;

/// The `domain` of every ErrorInfo that Sampan sends.
pub const DOMAIN: &str = "sampan";

/// Delay that a caller is told to wait after a fault that may pass by itself.
pub const TRANSIENT_RETRY: Duration = Duration::from_secs(1);

// Details travel in a header, and common clients refuse headers above 8 KiB: what does not fit would hide the rest.
const MAX_ENTRIES: usize = 16;
const MAX_MESSAGE_CHARS: usize = 1_000;

/// One field of a request that is wrong.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FieldProblem {
    /// Path of the field, such as `spec.image.region`.
    pub field: String,
    /// Why it is wrong.
    pub reason: Reason,
    /// What is wrong, as one sentence.
    pub message: String,
}

/// A refusal or failure on its way to the caller.
#[derive(Debug, Clone, PartialEq)]
pub struct Problem(Box<Parts>);

#[derive(Debug, Clone, PartialEq)]
struct Parts {
    reason: Reason,
    message: String,
    fields: Vec<FieldProblem>,
    violations: Vec<Violation>,
    quota: Vec<QuotaPicture>,
    retry_after: Option<Duration>,
    metadata: BTreeMap<String, String>,
}

impl Problem {
    /// Starts from a reason and what happened, as one sentence without secrets.
    pub fn new(reason: Reason, message: impl Into<String>) -> Self {
        Self(Box::new(Parts {
            reason,
            message: message.into(),
            fields: Vec::new(),
            violations: Vec::new(),
            quota: Vec::new(),
            retry_after: None,
            metadata: BTreeMap::new(),
        }))
    }

    /// Says that one field is wrong.
    pub fn field(reason: Reason, field: impl Into<String>, message: impl Into<String>) -> Self {
        Self::fields(vec![FieldProblem { field: field.into(), reason, message: message.into() }])
    }

    /// Says that fields are wrong, all of them at once; the first one's reason is that of the whole.
    ///
    /// An empty list is a fault of the caller of this function and is told as one.
    pub fn fields(fields: Vec<FieldProblem>) -> Self {
        let Some(first) = fields.first() else {
            return Self::new(Reason::InternalFault, "a refusal names no field");
        };
        let message = match fields.len() {
            1 => format!("{}: {}", first.field, first.message),
            count => format!("{count} fields are wrong; the first is {}: {}", first.field, first.message),
        };
        let mut problem = Self::new(first.reason, message);
        problem.0.fields = fields;
        problem
    }

    /// Says that a request breaks rules that need no look at the cloud: every enforced one names its field.
    ///
    /// A rule whose word is no [`Reason`] counts as a malformed field.
    pub fn request(violations: &[Violation]) -> Self {
        let enforced = violations.iter().filter(|violation| violation.severity == Severity::Enforced);
        let field = |violation: &Violation| FieldProblem {
            field: violation.field.clone(),
            reason: Reason::from_word(&violation.rule).unwrap_or(Reason::FieldMalformed),
            message: told(violation),
        };
        Self::fields(enforced.map(field).collect())
    }

    /// Says that rules are broken; the details carry the enforced ones.
    pub fn violations(reason: Reason, message: impl Into<String>, violations: Vec<Violation>) -> Self {
        let mut problem = Self::new(reason, message);
        problem.0.violations = violations;
        problem
    }

    /// Says that the day of a lane is spent, as of `now`.
    pub fn quota_spent(picture: QuotaPicture, now: Timestamp) -> Self {
        let message = format!(
            "the image operations of {} in {} are used up until {}",
            picture.day, picture.lane, picture.resets_at
        );
        let wait = Duration::try_from(picture.resets_at.duration_since(now)).unwrap_or_default();
        let mut problem = Self::new(Reason::QuotaSpent, message).retry_after(wait);
        problem.0.quota.push(picture);
        problem
    }

    /// Translates a failure of the store, as of `now`.
    pub fn from_store(error: sampan_state::Error, now: Timestamp) -> Self {
        use sampan_state::Error;
        let message = error.to_string();
        match error {
            Error::Unavailable(_) => Self::new(Reason::StoreUnavailable, message).retry_after(TRANSIENT_RETRY),
            Error::Corrupt { .. } => Self::new(Reason::StoreCorrupt, message),
            Error::TooNew { .. } => Self::new(Reason::RecordTooNew, message),
            Error::NotFound(id) => Self::new(Reason::OperationNotFound, message).with("operation", id.name()),
            Error::Ended(operation) => {
                Self::new(Reason::OperationFinished, message).with("operation", operation.id.name())
            }
            Error::RequestIdReused { existing, request_id } => Self::new(Reason::RequestIdReused, message)
                .with("operation", existing.id.name())
                .with("request_id", request_id.to_string()),
            Error::QuotaSpent(picture) => Self::quota_spent(*picture, now),
            Error::LaneHeld { until, .. } => {
                let wait = Duration::try_from(until.duration_since(now)).unwrap_or_default();
                Self::new(Reason::LaneBusy, message).retry_after(wait)
            }
            // A caller holds no lease: what it lost is a race with a worker that changed the record.
            Error::LeaseLost(_) => Self::new(Reason::OperationChanged, message),
            // The enum may grow: what is not known here is a fault until it is listed.
            _ => Self::new(Reason::InternalFault, message),
        }
    }

    /// Translates a failure of the engine, as of `now`.
    pub fn from_engine(error: sampan_ops::Error, now: Timestamp) -> Self {
        use sampan_ops::Error;
        match error {
            Error::Store(error) => Self::from_store(error, now),
            Error::NotRetryable { id, .. } => {
                Self::new(Reason::OperationNotRetryable, error.to_string()).with("operation", id.name())
            }
            Error::UnknownKind(_) => Self::new(Reason::OperationNotRetryable, error.to_string()),
        }
    }

    /// Translates a failed cloud call: its reason, with the vendor's code and request id as facts.
    pub fn from_call(error: &CallError) -> Self {
        let mut problem =
            Self::new(error.reason, error.to_string()).with("cloud", error.cloud.as_str()).with("action", error.action);
        if let Some(code) = &error.code {
            problem = problem.with("vendor_code", code);
        }
        if let Some(id) = &error.request_id {
            problem = problem.with("vendor_request_id", id);
        }
        match error.class {
            CallClass::Transient | CallClass::Throttled | CallClass::Busy => {
                problem.retry_after(error.retry_after.unwrap_or(TRANSIENT_RETRY))
            }
            // Nothing that the caller repeats unchanged helps, or helps before a reset that only the cloud knows.
            CallClass::Quota
            | CallClass::Caller
            | CallClass::NotFound
            | CallClass::Permission
            | CallClass::Credentials
            | CallClass::UnknownOutcome => problem,
        }
    }

    /// Takes over what another service of Sampan answered, so that the caller learns the cause and not the detour.
    ///
    /// A reason that this version does not know becomes the nearest one of its code. Fields are not taken over: they
    /// are those of another message.
    pub fn from_peer(status: &Status) -> Self {
        let info = status.get_details_error_info();
        let known = info.as_ref().and_then(|info| Reason::from_word(&info.reason));
        let reason = known.unwrap_or(match status.code() {
            tonic::Code::Unavailable => Reason::PeerUnavailable,
            tonic::Code::DeadlineExceeded | tonic::Code::Cancelled => Reason::RequestDeadlinePassed,
            _ => Reason::InternalFault,
        });
        let mut problem = Self::new(reason, status.message());
        for (key, value) in info.into_iter().flat_map(|info| info.metadata).filter(|(key, _)| key != "remedy") {
            problem = problem.with(key, value);
        }
        match status.get_details_retry_info().and_then(|info| info.retry_delay) {
            Some(delay) => problem.retry_after(delay),
            None => problem,
        }
    }

    /// Adds a fact to the ErrorInfo.
    #[must_use]
    pub fn with(mut self, key: impl Into<String>, value: impl Into<String>) -> Self {
        self.0.metadata.insert(key.into(), value.into());
        self
    }

    /// Tells the caller how long to wait before trying again.
    #[must_use]
    pub fn retry_after(mut self, delay: Duration) -> Self {
        self.0.retry_after = Some(delay);
        self
    }

    /// Returns the reason.
    pub fn reason(&self) -> Reason {
        self.0.reason
    }

    /// Returns what happened.
    pub fn message(&self) -> &str {
        &self.0.message
    }

    /// Returns the fields that are wrong.
    pub fn field_problems(&self) -> &[FieldProblem] {
        &self.0.fields
    }
}

impl Parts {
    fn details(self) -> ErrorDetails {
        let metadata: HashMap<_, _> =
            self.metadata.into_iter().chain([("remedy".to_owned(), self.reason.remedy().to_owned())]).collect();
        let mut details = ErrorDetails::with_error_info(self.reason.as_str(), DOMAIN, metadata);
        if !self.fields.is_empty() {
            details.set_bad_request(self.fields.into_iter().take(MAX_ENTRIES).map(field_violation).collect::<Vec<_>>());
        }
        let broken: Vec<_> =
            self.violations.into_iter().filter(|violation| violation.severity == Severity::Enforced).collect();
        if !broken.is_empty() {
            details
                .set_precondition_failure(broken.into_iter().take(MAX_ENTRIES).map(precondition).collect::<Vec<_>>());
        }
        if !self.quota.is_empty() {
            details.set_quota_failure(self.quota.iter().map(quota_violation).collect::<Vec<_>>());
        }
        if let Some(delay) = self.retry_after {
            details.set_retry_info(Some(delay));
        }
        if let Some(id) = request_id::current() {
            details.set_request_info(id.as_str(), "");
        }
        details
    }
}

impl From<Problem> for Status {
    fn from(Problem(parts): Problem) -> Self {
        let code = code(parts.reason.code());
        let message: String = parts.message.chars().take(MAX_MESSAGE_CHARS).collect();
        Self::with_error_details(code, message, parts.details())
    }
}

/// Returns the tonic code of a canonical code.
pub fn code(code: Code) -> tonic::Code {
    match code {
        Code::Cancelled => tonic::Code::Cancelled,
        Code::InvalidArgument => tonic::Code::InvalidArgument,
        Code::DeadlineExceeded => tonic::Code::DeadlineExceeded,
        Code::NotFound => tonic::Code::NotFound,
        Code::AlreadyExists => tonic::Code::AlreadyExists,
        Code::PermissionDenied => tonic::Code::PermissionDenied,
        Code::ResourceExhausted => tonic::Code::ResourceExhausted,
        Code::FailedPrecondition => tonic::Code::FailedPrecondition,
        Code::Aborted => tonic::Code::Aborted,
        Code::OutOfRange => tonic::Code::OutOfRange,
        Code::Unimplemented => tonic::Code::Unimplemented,
        Code::Internal => tonic::Code::Internal,
        Code::Unavailable => tonic::Code::Unavailable,
        Code::Unauthenticated => tonic::Code::Unauthenticated,
        Code::Unknown => tonic::Code::Unknown,
    }
}

fn field_violation(problem: FieldProblem) -> FieldViolation {
    let mut violation = FieldViolation::new(problem.field, problem.message);
    problem.reason.as_str().clone_into(&mut violation.reason);
    violation
}

fn precondition(violation: Violation) -> PreconditionViolation {
    let description = told(&violation);
    PreconditionViolation::new(violation.rule, violation.field, description)
}

fn told(violation: &Violation) -> String {
    match violation.fix.as_str() {
        "" => violation.message.clone(),
        fix => format!("{} ({fix})", violation.message),
    }
}

fn quota_violation(picture: &QuotaPicture) -> QuotaViolation {
    let lane = &picture.lane;
    let used = picture.committed.saturating_add(picture.reserved).saturating_add(picture.spent_elsewhere);
    let limit = picture.limit.unwrap_or(u32::MAX);
    let mut violation = QuotaViolation::new(
        lane.to_string(),
        format!(
            "{used} of {limit} image operations of {} are used; the next day begins at {}",
            picture.day, picture.resets_at
        ),
    );
    "sampan.quota.v1.QuotaService".clone_into(&mut violation.api_service);
    "image_operations_per_day".clone_into(&mut violation.quota_metric);
    violation.quota_dimensions = HashMap::from([
        ("cloud".to_owned(), lane.cloud.to_string()),
        ("account".to_owned(), lane.account.to_string()),
        ("region".to_owned(), lane.region.to_string()),
    ]);
    violation.quota_value = i64::from(limit);
    violation
}
