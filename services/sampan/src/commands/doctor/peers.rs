//! The roles that run in other processes.

use tonic_health::pb::HealthCheckRequest;

use super::{Examined, Finding, Wrong};
use crate::cli::ConnectionArgs;
use crate::client::{Client, Failure};

pub(super) async fn check(examined: &Examined<'_>) -> Vec<Finding> {
    let (peers, own) = (&examined.config.peers, &examined.config.server.roles);
    let known = peers.addresses();
    let mut findings = Vec::new();
    for unknown in own.iter().filter(|role| !known.contains_key(role.as_str())) {
        let roles: Vec<_> = known.keys().copied().collect();
        let wrong = Wrong::new("it is no role", format!("the roles are {}", roles.join(", ")));
        findings.push(Finding::new("role", unknown, Err(wrong)));
    }
    let is_here = |role: &str| own.is_empty() || own.iter().any(|own| own == role);
    let connection = ConnectionArgs {
        token: None,
        token_file: peers.token_file.clone(),
        tls_ca: peers.ca_file.clone(),
        tls_cert: peers.cert_file.clone(),
        tls_key: peers.key_file.clone(),
    };
    for (role, urls) in known.into_iter().filter(|(role, _)| !is_here(role)) {
        for url in urls {
            let asked = async { ask(&url, &connection).await.map_err(|failure| unreached(&failure)) };
            let found = examined.within(asked).await.and_then(|is_ready| match is_ready {
                true => Ok("ready".to_owned()),
                false => Err(Wrong::new("it answers, and is not ready", "run `sampan doctor` where it runs")),
            });
            findings.push(Finding::new("peer", format!("{role} {url}"), found));
        }
    }
    findings
}

async fn ask(url: &str, connection: &ConnectionArgs) -> Result<bool, Failure> {
    let client = Client::connect_to(url, connection).await?;
    let answer = client.health().check(HealthCheckRequest::default()).await?.into_inner();
    Ok(answer.status == 1)
}

fn unreached(failure: &Failure) -> Wrong {
    Wrong::new(failure.message.clone(), "start it, or correct addresses and certificates in the section [peers]")
}
