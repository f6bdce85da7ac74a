//! Describes the accounts of a running simulator as configuration.

use std::fmt::Write as _;

use sampan_core::{AccountName, Cloud};
use sampan_simulator::Running;

use crate::config::{AccountConfig, CredentialsConfig, EndpointsConfig, SiteWord};

/// Returns one account per account of the simulator: `tencent` and `alibaba`, further ones with a number.
pub fn simulated_accounts(running: &Running) -> Vec<(AccountName, AccountConfig)> {
    let addresses = running.addresses();
    let mut seen = [0_u32; 2];
    let mut accounts = Vec::new();
    for account in running.credentials() {
        let (index, endpoints) = match account.cloud {
            Cloud::Tencent => {
                (0, EndpointsConfig { api: Some(addresses.cvm.clone()), bucket: Some(addresses.cos.clone()) })
            }
            Cloud::Alibaba => {
                (1, EndpointsConfig { api: Some(addresses.ecs.clone()), bucket: Some(addresses.oss.clone()) })
            }
        };
        let Some(count) = seen.get_mut(index) else { continue };
        *count += 1;
        let name = if *count == 1 { account.cloud.to_string() } else { format!("{}-{count}", account.cloud) };
        let Ok(name) = name.parse::<AccountName>() else { continue };
        let credentials = CredentialsConfig::Static {
            access_key_id: account.secret_id,
            access_key_secret: account.secret_key.into(),
            security_token: account.token.map(Into::into),
        };
        let number = Some(account.id);
        let (cloud, site) = (account.cloud, Some(SiteWord::Cn));
        accounts.push((name, AccountConfig { cloud, number, site, credentials, endpoints, trial_runs: true }));
    }
    accounts
}

/// Writes accounts as a configuration file, secrets included: the simulator's are demo values.
pub fn accounts_toml(accounts: &[(AccountName, AccountConfig)]) -> String {
    let mut text = "# Accounts of the simulated clouds; the keys are demo values and open nothing else.\n\n\
                    [operations]\npoll_scale = 0.1\n"
        .to_owned();
    for (name, account) in accounts {
        let _ =
            write!(text, "\n[accounts.{name}]\ncloud = \"{}\"\ntrial_runs = {}\n", account.cloud, account.trial_runs);
        if let Some(number) = &account.number {
            let _ = writeln!(text, "number = \"{number}\"");
        }
        if let Some(site) = account.site {
            let _ = writeln!(text, "site = \"{}\"", site.word());
        }
        let _ = write!(text, "\n[accounts.{name}.endpoints]\n");
        for (key, address) in [("api", &account.endpoints.api), ("bucket", &account.endpoints.bucket)] {
            if let Some(address) = address {
                let _ = writeln!(text, "{key} = \"{address}\"");
            }
        }
        if let CredentialsConfig::Static { access_key_id, access_key_secret, security_token } = &account.credentials {
            let _ = write!(
                text,
                "\n[accounts.{name}.credentials]\nsource = \"static\"\naccess_key_id = \"{access_key_id}\"\naccess_key_secret = \"{}\"\n",
                access_key_secret.expose()
            );
            if let Some(token) = security_token {
                let _ = writeln!(text, "security_token = \"{}\"", token.expose());
            }
        }
    }
    text
}
