//! The listener of Prometheus: `/metrics`, and nothing else.

use std::future::IntoFuture as _;
use std::net::SocketAddr;
use std::sync::Arc;

use axum::Router;
use axum::extract::State;
use axum::response::{IntoResponse as _, Response};
use axum::routing::get;
use http::StatusCode;
use http::header::CONTENT_TYPE;
use tokio_util::sync::CancellationToken;

use super::{Metrics, Sampler};
use crate::server::Listener;

/// What a scrape shows.
#[derive(Debug, Clone)]
pub struct Scrapes {
    /// The numbers.
    pub metrics: Metrics,
    /// Gauges of the store, refreshed before each scrape.
    pub sampler: Arc<Sampler>,
}

impl Scrapes {
    /// Serves on `listener` until `stop`.
    pub async fn serve(self, listener: Listener, stop: CancellationToken) {
        let address: SocketAddr = listener.address();
        let router = Router::new().route("/metrics", get(scrape)).with_state(self);
        let serving = axum::serve(listener.into_socket(), router).into_future();
        if let Some(Err(error)) = stop.run_until_cancelled(serving).await {
            tracing::error!(%address, %error, "metrics cannot be scraped any more");
        }
    }
}

async fn scrape(State(scrapes): State<Scrapes>) -> Response {
    scrapes.sampler.refresh().await;
    match scrapes.metrics.text() {
        Ok(text) => ([(CONTENT_TYPE, prometheus::TEXT_FORMAT)], text).into_response(),
        Err(error) => {
            tracing::warn!(%error, "metrics cannot be written");
            StatusCode::INTERNAL_SERVER_ERROR.into_response()
        }
    }
}
