//! The role `copy`.

use std::sync::Arc;

use sampan_chassis::Services;
use sampan_chassis::server::MAX_MESSAGE_BYTES;
use sampan_copy_service::{CopySaga, Service};
use sampan_ops::{Engine, Saga};
use sampan_proto::copy::v1::copy_service_server::CopyServiceServer;

use super::{Ground, Role};
use crate::client::Failure;

/// Copies images to other regions.
pub(super) struct Copy;

impl Role for Copy {
    fn name(&self) -> &'static str {
        "copy"
    }

    fn sagas(&self, ground: &Ground<'_>) -> Result<Vec<Arc<dyn Saga>>, Failure> {
        let (accounts, limits) = (ground.accounts.clone(), Arc::clone(&ground.limits));
        Ok(vec![Arc::new(CopySaga::new(accounts, limits, ground.pricing(), ground.peers.to("share")))])
    }

    fn serve(&self, ground: &Ground<'_>, engine: &Engine, services: Services) -> Result<Services, Failure> {
        let (accounts, limits) = (ground.accounts.clone(), Arc::clone(&ground.limits));
        let service = Service::new(engine.clone(), accounts, limits, ground.pricing(), ground.clock.clone());
        Ok(services.add(CopyServiceServer::new(service).max_decoding_message_size(MAX_MESSAGE_BYTES)))
    }
}
