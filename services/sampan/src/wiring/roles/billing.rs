//! The role `billing`.

use std::sync::Arc;

use sampan_billing_service::{Billing as Estimator, Service};
use sampan_chassis::Services;
use sampan_ops::Engine;

use super::{Ground, Role};
use crate::client::Failure;
use crate::wiring::load_prices;

/// Tells what jobs cost.
pub(super) struct Billing;

impl Role for Billing {
    fn name(&self) -> &'static str {
        "billing"
    }

    fn serve(&self, ground: &Ground<'_>, _: &Engine, services: Services) -> Result<Services, Failure> {
        let config = &ground.config.billing;
        let book = load_prices(config.price_file.as_deref(), config.only_price_file)?;
        let days = i32::try_from(config.price_max_age_days).unwrap_or(i32::MAX);
        let estimator = Estimator::new(Arc::new(book), ground.clock.clone()).max_age_days(days);
        Ok(services.add(Service::new(estimator).into_server()))
    }
}
