//! Audit records as OTLP logs: the record as body, what one searches by as attributes.

use std::fmt;
use std::time::{Duration, SystemTime};

use opentelemetry::logs::{AnyValue, LogRecord as _, Logger as _, LoggerProvider as _, Severity};
use opentelemetry_otlp::{ExporterBuildError, LogExporter, WithExportConfig as _};
use opentelemetry_sdk::Resource;
use opentelemetry_sdk::logs::{SdkLogger, SdkLoggerProvider};
use sampan_cloud::audit::{AuditEvent, AuditRecord};

use crate::telemetry::flush;
use crate::telemetry::redact::redact;

/// Sends records to a collector, in batches.
pub struct Collector {
    provider: SdkLoggerProvider,
    logger: SdkLogger,
}

impl fmt::Debug for Collector {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Collector").finish_non_exhaustive()
    }
}

impl Collector {
    /// Sends to `endpoint`, such as `http://127.0.0.1:4317`. Must be called within a runtime.
    ///
    /// # Errors
    /// What the exporter cannot be made of.
    pub fn open(endpoint: &str, service_name: &str) -> Result<Self, ExporterBuildError> {
        let exporter =
            LogExporter::builder().with_tonic().with_endpoint(endpoint).with_timeout(Duration::from_secs(5)).build()?;
        let resource = Resource::builder().with_service_name(service_name.to_owned()).build();
        let provider = SdkLoggerProvider::builder().with_batch_exporter(exporter).with_resource(resource).build();
        let logger = provider.logger("sampan.audit");
        Ok(Self { provider, logger })
    }

    /// Sends what is still in memory; waits at most five seconds.
    pub(super) async fn flush(&self) {
        let provider = self.provider.clone();
        if !flush::sent(move || provider.shutdown_with_timeout(flush::PATIENCE)).await {
            tracing::warn!("audit records did not reach the collector");
        }
    }

    /// Takes a record; it is sent with others within a second.
    pub(super) fn note(&self, record: &AuditRecord) {
        let Ok(body) = serde_json::to_string(record) else { return };
        let mut log = self.logger.create_log_record();
        log.set_event_name("sampan.audit");
        log.set_timestamp(SystemTime::from(record.time));
        log.set_severity_number(Severity::Info);
        log.set_body(AnyValue::from(redact(&body).into_owned()));
        log.add_attribute("audit.id", record.id.clone());
        log.add_attribute("audit.phase", record.event.phase());
        log.add_attribute("caller", record.context.caller.clone());
        if let Some(operation) = &record.context.operation {
            log.add_attribute("operation", operation.clone());
        }
        match &record.event {
            AuditEvent::Call(call) => {
                log.add_attribute("action", call.action);
                log.add_attribute("units", i64::from(record.context.units));
            }
            AuditEvent::Outcome(outcome) => {
                log.add_attribute("action", outcome.call.action);
                log.add_attribute("units", i64::from(record.context.units));
                if let Some(id) = &outcome.vendor_request_id {
                    log.add_attribute("vendor_request_id", id.clone());
                }
            }
            AuditEvent::Refused(refusal) => {
                log.add_attribute("rpc.method", refusal.method.clone());
                log.add_attribute("reason", refusal.reason.clone());
            }
        }
        self.logger.emit(log);
    }
}
