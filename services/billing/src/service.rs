//! Answers requests: parse, calculate, translate. [`Billing`] in the process, [`Service`] over gRPC.

use std::sync::Arc;

use async_trait::async_trait;
use sampan_chassis::auth::{Access, Ask};
use sampan_chassis::convert::request::Fields;
use sampan_chassis::server::MAX_MESSAGE_BYTES;
use sampan_chassis::status::Problem;
use sampan_core::{Reason, Region, SharedClock};
use sampan_proto::billing::v1 as pb;
use sampan_proto::billing::v1::billing_estimator_service_server::{
    BillingEstimatorService, BillingEstimatorServiceServer,
};
use tonic::{Request, Response, Status};

use crate::book::{self, DEFAULT_MAX_AGE_DAYS, Item, PriceBook};
use crate::estimate::Estimate;
use crate::money::Overflow;
use crate::{convert, estimate, request};

const DEFAULT_PAGE: u32 = 100;
const LARGEST_PAGE: u32 = 1_000;

/// The estimator over one price book. Cheap to clone; does no I/O.
#[derive(Debug, Clone)]
pub struct Billing {
    book: Arc<PriceBook>,
    clock: SharedClock,
    max_age_days: i32,
}

impl Billing {
    /// Answers from `book`; prices are reported as too old by `clock`.
    pub fn new(book: Arc<PriceBook>, clock: SharedClock) -> Self {
        Self { book, clock, max_age_days: DEFAULT_MAX_AGE_DAYS }
    }

    /// Sets the age in days beyond which prices are reported.
    #[must_use]
    pub fn max_age_days(mut self, days: i32) -> Self {
        self.max_age_days = days;
        self
    }

    /// Returns the price book.
    pub fn book(&self) -> &PriceBook {
        &self.book
    }

    /// Estimates an export.
    ///
    /// # Errors
    /// Every wrong field with its reason, or a figure that does not fit.
    pub fn estimate_export(&self, request: &pb::EstimateExportRequest) -> Result<pb::EstimateExportResponse, Problem> {
        let export = request::Export::parse(request, &self.book)?;
        let estimate = estimate::export(&export, &self.book).map_err(overflow)?;
        let (estimate, stale_prices) = self.answer(&estimate)?;
        Ok(pb::EstimateExportResponse { estimate: Some(estimate), stale_prices })
    }

    /// Estimates a copy.
    ///
    /// # Errors
    /// As [`Self::estimate_export`].
    pub fn estimate_copy(&self, request: &pb::EstimateCopyRequest) -> Result<pb::EstimateCopyResponse, Problem> {
        let copy = request::Copy::parse(request, &self.book)?;
        let estimate = estimate::copy(&copy, &self.book).map_err(overflow)?;
        let (estimate, stale_prices) = self.answer(&estimate)?;
        Ok(pb::EstimateCopyResponse { estimate: Some(estimate), stale_prices })
    }

    /// Estimates downloads.
    ///
    /// # Errors
    /// As [`Self::estimate_export`].
    pub fn estimate_download(
        &self,
        request: &pb::EstimateDownloadRequest,
    ) -> Result<pb::EstimateDownloadResponse, Problem> {
        let download = request::Download::parse(request, &self.book)?;
        let estimate = estimate::download(&download, &self.book).map_err(overflow)?;
        let (estimate, stale_prices) = self.answer(&estimate)?;
        Ok(pb::EstimateDownloadResponse { estimate: Some(estimate), stale_prices })
    }

    /// Lists prices.
    ///
    /// # Errors
    /// Every wrong filter with its reason.
    pub fn list_prices(&self, request: &pb::ListPricesRequest) -> Result<pb::ListPricesResponse, Problem> {
        let mut fields = Fields::new();
        let cloud = fields.optional_cloud("cloud", request.cloud);
        let site = request::optional_site(request.site)
            .unwrap_or_else(|message| refused(&mut fields, "site", Reason::SiteUnknown, message));
        let region: Option<Region> = fields.optional("region", &request.region);
        let item: Option<Item> = fields.optional("item", &request.item);
        let size = fields.page_size("page_size", request.page_size, DEFAULT_PAGE, LARGEST_PAGE) as usize;
        // The token is the place in the book of the last price that was sent; a book never changes.
        let start = match request.page_token.as_str() {
            "" => 0,
            token => token.parse::<usize>().map_or_else(
                |_| {
                    refused(&mut fields, "page_token", Reason::FieldMalformed, "it is no token of this list")
                        .unwrap_or(0)
                },
                |last| last.saturating_add(1),
            ),
        };
        fields.finish()?;
        let matching = self.book.rows().iter().enumerate().skip(start).filter(|(_, row)| {
            cloud.is_none_or(|cloud| row.key.cloud == cloud)
                && site.is_none_or(|site| row.key.site == site)
                && region.as_ref().is_none_or(|region| &*row.key.region == region.as_str())
                && item.is_none_or(|item| row.key.item == item)
        });
        let mut page: Vec<_> = matching.take(size + 1).collect();
        let has_more = page.len() > size;
        page.truncate(size);
        let token = page.last().filter(|_| has_more).map(|(place, _)| place.to_string());
        Ok(pb::ListPricesResponse {
            prices: page.into_iter().map(|(_, row)| convert::price(row, &self.book)).collect(),
            next_page_token: token.unwrap_or_default(),
            price_book: Some(convert::book(&self.book)),
        })
    }

    fn answer(&self, estimate: &Estimate<'_>) -> Result<(pb::Estimate, Vec<pb::StalePrice>), Problem> {
        let rows = estimate.lines.iter().filter_map(|line| line.row);
        let stale = book::stale(rows, self.clock.now(), self.max_age_days);
        Ok((convert::estimate(estimate).map_err(overflow)?, stale.iter().map(convert::stale).collect()))
    }
}

fn refused<T>(fields: &mut Fields, field: &str, reason: Reason, message: impl Into<String>) -> Option<T> {
    fields.refuse(field, reason, message);
    None
}

fn overflow(error: Overflow) -> Problem {
    Problem::new(Reason::EstimateOverflow, error.to_string())
}

/// What a caller has to be permitted.
const ESTIMATE: &str = "billing.estimate";

/// Serves `sampan.billing.v1.BillingEstimatorService`. Cheap to clone.
#[derive(Debug, Clone)]
pub struct Service {
    billing: Billing,
}

impl Service {
    /// Serves an estimator.
    pub fn new(billing: Billing) -> Self {
        Self { billing }
    }

    /// Returns the generated server, to be added to the services of a process.
    pub fn into_server(self) -> BillingEstimatorServiceServer<Self> {
        BillingEstimatorServiceServer::new(self).max_decoding_message_size(MAX_MESSAGE_BYTES)
    }
}

#[async_trait]
impl BillingEstimatorService for Service {
    async fn estimate_export(
        &self,
        request: Request<pb::EstimateExportRequest>,
    ) -> Result<Response<pb::EstimateExportResponse>, Status> {
        Access::of(request.extensions()).check(&Ask::new(ESTIMATE))?;
        Ok(Response::new(self.billing.estimate_export(request.get_ref())?))
    }

    async fn estimate_copy(
        &self,
        request: Request<pb::EstimateCopyRequest>,
    ) -> Result<Response<pb::EstimateCopyResponse>, Status> {
        Access::of(request.extensions()).check(&Ask::new(ESTIMATE))?;
        Ok(Response::new(self.billing.estimate_copy(request.get_ref())?))
    }

    async fn estimate_download(
        &self,
        request: Request<pb::EstimateDownloadRequest>,
    ) -> Result<Response<pb::EstimateDownloadResponse>, Status> {
        Access::of(request.extensions()).check(&Ask::new(ESTIMATE))?;
        Ok(Response::new(self.billing.estimate_download(request.get_ref())?))
    }

    async fn list_prices(
        &self,
        request: Request<pb::ListPricesRequest>,
    ) -> Result<Response<pb::ListPricesResponse>, Status> {
        Access::of(request.extensions()).check(&Ask::new(ESTIMATE))?;
        Ok(Response::new(self.billing.list_prices(request.get_ref())?))
    }
}
