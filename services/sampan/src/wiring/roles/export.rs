//! The role `export`.

use std::sync::Arc;

use sampan_chassis::Services;
use sampan_chassis::server::MAX_MESSAGE_BYTES;
use sampan_export_service::{ExportSaga, Service};
use sampan_ops::{Engine, Saga};
use sampan_proto::export::v1::export_service_server::ExportServiceServer;

use super::{Ground, Role};
use crate::client::Failure;

/// Exports images to buckets.
pub(super) struct Export;

impl Role for Export {
    fn name(&self) -> &'static str {
        "export"
    }

    fn sagas(&self, ground: &Ground<'_>) -> Result<Vec<Arc<dyn Saga>>, Failure> {
        let saga = ExportSaga::new(ground.accounts.clone(), Arc::clone(&ground.limits), ground.pricing());
        Ok(vec![Arc::new(saga)])
    }

    fn serve(&self, ground: &Ground<'_>, engine: &Engine, services: Services) -> Result<Services, Failure> {
        let (accounts, limits) = (ground.accounts.clone(), Arc::clone(&ground.limits));
        let service = Service::new(engine.clone(), accounts, limits, ground.pricing(), ground.clock.clone());
        Ok(services.add(ExportServiceServer::new(service).max_decoding_message_size(MAX_MESSAGE_BYTES)))
    }
}
