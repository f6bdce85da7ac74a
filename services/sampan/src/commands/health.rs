//! `sampan health`.

use tonic_health::pb::HealthCheckRequest;
use tonic_health::pb::health_check_response::ServingStatus;

use super::export::output_failure;
use crate::cli::HealthArgs;
use crate::client::{Client, Failure};
use crate::config::Config;
use crate::exit::Exit;
use crate::output::words;

/// Asks a server whether it is ready.
///
/// # Errors
/// [`Failure`] with [`Exit::Unavailable`] when it is not, or does not answer in time.
pub async fn health(args: HealthArgs) -> Result<Exit, Failure> {
    let answered = tokio::time::timeout(args.timeout, ask(&args)).await;
    let status = answered.map_err(|_| Failure::new(Exit::Unavailable, "the server does not answer in time"))??;
    if status == ServingStatus::Serving {
        words::line("ready").map_err(output_failure)?;
        return Ok(Exit::Done);
    }
    Err(Failure::new(Exit::Unavailable, "the server answers, and is not ready")
        .advice("its store does not work, or it is about to stop; its log and `sampan doctor` tell more"))
}

async fn ask(args: &HealthArgs) -> Result<ServingStatus, Failure> {
    let client = match &args.endpoint {
        Some(endpoint) => Client::connect_to(endpoint, &args.connection).await?,
        None => {
            let config = Config::load(&args.serving());
            Client::connect_to_own(&config.map_err(|error| Failure::new(Exit::Usage, error.to_string()))?).await?
        }
    };
    let request = HealthCheckRequest { service: args.service.clone() };
    Ok(client.health().check(request).await?.into_inner().status())
}
