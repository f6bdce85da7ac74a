//! Serves OperationService over the store: reads, lists, waits, watches, cancels, retries.
//!
//! It works for every kind of operation; how a retry is prepared is left to a [`Retry`].

mod list;
mod wait;

use std::fmt;
use std::pin::Pin;
use std::sync::Arc;

use async_trait::async_trait;
use futures::Stream;
use http::Extensions;
use sampan_core::{OperationId, SharedClock};
use sampan_proto::operation::v1 as pb;
use sampan_proto::operation::v1::operation_service_server::{OperationService, OperationServiceServer};
use sampan_state::operation::{CancelRequest, Operation};
use sampan_state::{ListQuery, SharedStore};
use tonic::{Request, Response, Status};

use crate::auth::Access;
use crate::convert;
use crate::convert::request::operation_name;
use crate::layers::CallDeadline;
use crate::server::MAX_MESSAGE_BYTES;
use crate::status::Problem;

const READ: &str = "operations.read";
const CANCEL: &str = "operations.cancel";
const RETRY: &str = "operations.retry";

/// Puts ended operations back to work.
#[async_trait]
pub trait Retry: Send + Sync + fmt::Debug {
    /// Starts the failed targets of an ended operation again and returns it as it is then.
    ///
    /// # Errors
    /// A problem when it does not exist, has not ended, or has nothing to retry.
    async fn retry(&self, id: OperationId, caller: &str) -> Result<Operation, Problem>;
}

/// The service.
#[derive(Debug, Clone)]
pub struct OperationApi {
    store: SharedStore,
    clock: SharedClock,
    retry: Arc<dyn Retry>,
}

impl OperationApi {
    /// Serves the operations of `store`.
    pub fn new(store: SharedStore, clock: SharedClock, retry: Arc<dyn Retry>) -> Self {
        Self { store, clock, retry }
    }

    /// Returns the generated server, to be added to [`Services`](crate::server::Services).
    pub fn into_server(self) -> OperationServiceServer<Self> {
        OperationServiceServer::new(self).max_decoding_message_size(MAX_MESSAGE_BYTES)
    }

    async fn read(&self, id: OperationId) -> Result<Operation, Problem> {
        self.store.get(id).await.map_err(|error| self.problem(error))
    }

    /// Reads an operation that the caller may do `action` with; another's looks like one that does not exist.
    async fn permitted(&self, id: OperationId, call: &Extensions, action: &str) -> Result<Operation, Problem> {
        let record = self.read(id).await?;
        if Access::of(call).may(action, &record) {
            return Ok(record);
        }
        tracing::info!(operation = %id, action, "operation of another caller refused");
        Err(self.problem(sampan_state::Error::NotFound(id)))
    }

    fn problem(&self, error: sampan_state::Error) -> Problem {
        Problem::from_store(error, self.clock.now())
    }
}

#[async_trait]
impl OperationService for OperationApi {
    type WatchOperationStream = Pin<Box<dyn Stream<Item = Result<pb::WatchOperationResponse, Status>> + Send>>;

    async fn get_operation(
        &self,
        request: Request<pb::GetOperationRequest>,
    ) -> Result<Response<pb::GetOperationResponse>, Status> {
        let id = operation_name("name", &request.get_ref().name)?;
        let record = self.permitted(id, request.extensions(), READ).await?;
        Ok(Response::new(pb::GetOperationResponse { operation: Some(convert::operation(&record)) }))
    }

    async fn list_operations(
        &self,
        request: Request<pb::ListOperationsRequest>,
    ) -> Result<Response<pb::ListOperationsResponse>, Status> {
        let query: ListQuery = list::query(request.get_ref())?;
        let access = Access::of(request.extensions());
        let page = list::page(self, &query, |record| access.may(READ, record), access.is_limited()).await?;
        Ok(Response::new(list::response(&query, &page)))
    }

    async fn wait_operation(
        &self,
        request: Request<pb::WaitOperationRequest>,
    ) -> Result<Response<pb::WaitOperationResponse>, Status> {
        let deadline = request.extensions().get::<CallDeadline>().copied();
        let id = operation_name("name", &request.get_ref().name)?;
        let until = wait::until(request.get_ref().timeout, deadline)?;
        self.permitted(id, request.extensions(), READ).await?;
        let record = wait::for_end(self, id, until).await?;
        Ok(Response::new(pb::WaitOperationResponse { operation: Some(convert::operation(&record)) }))
    }

    async fn watch_operation(
        &self,
        request: Request<pb::WatchOperationRequest>,
    ) -> Result<Response<Self::WatchOperationStream>, Status> {
        let id = operation_name("name", &request.get_ref().name)?;
        let seen = request.get_ref().from_revision.unwrap_or(0);
        // Read here, so that a name that does not exist is refused before the stream begins.
        let now = self.permitted(id, request.extensions(), READ).await?;
        Ok(Response::new(Box::pin(wait::revisions(self.clone(), now, seen))))
    }

    async fn cancel_operation(
        &self,
        request: Request<pb::CancelOperationRequest>,
    ) -> Result<Response<pb::CancelOperationResponse>, Status> {
        let id = operation_name("name", &request.get_ref().name)?;
        self.permitted(id, request.extensions(), CANCEL).await?;
        let cancel = CancelRequest {
            at: self.clock.now(),
            by: Access::of(request.extensions()).caller().to_owned(),
            remove_result: request.get_ref().remove_result,
        };
        let record = self.store.request_cancel(id, cancel).await.map_err(|error| self.problem(error))?;
        Ok(Response::new(pb::CancelOperationResponse { operation: Some(convert::operation(&record)) }))
    }

    async fn retry_operation(
        &self,
        request: Request<pb::RetryOperationRequest>,
    ) -> Result<Response<pb::RetryOperationResponse>, Status> {
        let id = operation_name("name", &request.get_ref().name)?;
        self.permitted(id, request.extensions(), RETRY).await?;
        let record = self.retry.retry(id, Access::of(request.extensions()).caller()).await?;
        Ok(Response::new(pb::RetryOperationResponse { operation: Some(convert::operation(&record)) }))
    }
}
