//! Answers estimates on standard input, one per line: for programs that check the estimator from outside.
//!
//! A line is `{"method": "EstimateExport", "request": {…}}` with the request in the JSON form of protobuf; the answer
//! is one line, the estimate in that form with field names as in the protos, or `{"reason": "…"}` for a refusal. A
//! file of prices as the only argument extends the built-in ones.

use std::io::{BufRead as _, Write as _};
use std::sync::Arc;

use anyhow::{Context as _, Result, bail};
use prost::Message as _;
use prost_reflect::{DescriptorPool, DynamicMessage, SerializeOptions};
use sampan_billing_service::{Billing, PriceBook};
use sampan_chassis::Problem;
use sampan_core::clock;
use sampan_proto::billing::v1 as pb;

fn main() -> Result<()> {
    let pool = DescriptorPool::decode(sampan_proto::FILE_DESCRIPTOR_SET)?;
    let book = match std::env::args().nth(1) {
        Some(path) => PriceBook::extended(&path, &std::fs::read_to_string(&path)?)?,
        None => PriceBook::built_in()?,
    };
    let billing = Billing::new(Arc::new(book), clock::system());
    let mut out = std::io::stdout().lock();
    for line in std::io::stdin().lock().lines() {
        let asked: serde_json::Value = serde_json::from_str(&line?)?;
        let method = asked["method"].as_str().context("a line needs a method")?;
        match answer(&billing, &pool, method, &asked["request"])? {
            Ok(estimate) => writeln!(out, "{}", to_json(&pool, &estimate)?)?,
            Err(problem) => writeln!(out, "{}", serde_json::json!({ "reason": problem.reason().as_str() }))?,
        }
    }
    Ok(())
}

fn answer(
    billing: &Billing,
    pool: &DescriptorPool,
    method: &str,
    request: &serde_json::Value,
) -> Result<Result<pb::Estimate, Problem>> {
    let name = format!("sampan.billing.v1.{method}Request");
    let descriptor = pool.get_message_by_name(&name).with_context(|| format!("there is no {name}"))?;
    let bytes = DynamicMessage::deserialize(descriptor, request)?.encode_to_vec();
    let bytes = bytes.as_slice();
    let estimate = match method {
        "EstimateExport" => {
            billing.estimate_export(&pb::EstimateExportRequest::decode(bytes)?).map(|answer| answer.estimate)
        }
        "EstimateCopy" => billing.estimate_copy(&pb::EstimateCopyRequest::decode(bytes)?).map(|answer| answer.estimate),
        "EstimateDownload" => {
            billing.estimate_download(&pb::EstimateDownloadRequest::decode(bytes)?).map(|answer| answer.estimate)
        }
        _ => bail!("there is no estimate of {method}"),
    };
    Ok(match estimate {
        Ok(estimate) => Ok(estimate.context("an answer without an estimate")?),
        Err(problem) => Err(problem),
    })
}

fn to_json(pool: &DescriptorPool, estimate: &pb::Estimate) -> Result<String> {
    let descriptor = pool.get_message_by_name("sampan.billing.v1.Estimate").context("there is no Estimate")?;
    let dynamic = DynamicMessage::decode(descriptor, estimate.encode_to_vec().as_slice())?;
    let options = SerializeOptions::new().use_proto_field_name(true).stringify_64_bit_integers(false);
    let options = options.skip_default_fields(false);
    let mut json = Vec::new();
    dynamic.serialize_with_options(&mut serde_json::Serializer::new(&mut json), &options)?;
    Ok(String::from_utf8(json)?)
}
