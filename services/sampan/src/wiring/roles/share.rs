//! The role `share`.

use std::sync::Arc;

use sampan_chassis::Services;
use sampan_chassis::server::MAX_MESSAGE_BYTES;
use sampan_ops::{Engine, Saga};
use sampan_proto::share::v1::share_service_server::ShareServiceServer;
use sampan_share_service::saga::Desk;
use sampan_share_service::{Service, ShareSaga};

use super::{Ground, Role};
use crate::client::Failure;

/// Shares images with other accounts.
pub(super) struct Share;

impl Role for Share {
    fn name(&self) -> &'static str {
        "share"
    }

    fn sagas(&self, ground: &Ground<'_>) -> Result<Vec<Arc<dyn Saga>>, Failure> {
        let desk = Desk { store: ground.store.clone(), clock: ground.clock.clone(), rules: ground.lane_rules() };
        Ok(vec![Arc::new(ShareSaga::new(ground.accounts.clone(), Arc::clone(&ground.limits), desk))])
    }

    fn serve(&self, ground: &Ground<'_>, engine: &Engine, services: Services) -> Result<Services, Failure> {
        let (accounts, limits) = (ground.accounts.clone(), Arc::clone(&ground.limits));
        let service = Service::new(engine.clone(), accounts, limits, ground.clock.clone());
        Ok(services.add(ShareServiceServer::new(service).max_decoding_message_size(MAX_MESSAGE_BYTES)))
    }
}
