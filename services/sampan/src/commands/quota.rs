//! `sampan quota`.

use sampan_proto::quota::v1::{GetQuotaRequest, ListQuotasRequest};

use super::export::output_failure;
use crate::cli::{Output, QuotaArgs, wire_cloud};
use crate::client::{Client, Failure};
use crate::exit::Exit;
use crate::output;

/// Prints the quota of one lane, or of every lane that was used.
///
/// # Errors
/// [`Failure`] when the server refuses or does not answer.
pub async fn quota(args: QuotaArgs) -> Result<Exit, Failure> {
    let client = Client::connect(&args.client).await?;
    let quotas = match (args.cloud, args.region) {
        (Some(cloud), Some(region)) => {
            let account = args.account.unwrap_or_else(|| cloud.to_string());
            let request = GetQuotaRequest { cloud: wire_cloud(cloud) as i32, account, region };
            client.quotas().get_quota(request).await?.into_inner().quota.into_iter().collect()
        }
        _ => client.quotas().list_quotas(ListQuotasRequest::default()).await?.into_inner().quotas,
    };
    match args.client.output {
        Output::Table => output::quota::print(&quotas),
        Output::Json => quotas.iter().try_for_each(|quota| output::json::print("sampan.quota.v1.Quota", quota)),
    }
    .map_err(output_failure)?;
    Ok(Exit::Done)
}
