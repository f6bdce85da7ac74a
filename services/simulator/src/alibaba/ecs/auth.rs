//! Decides whose call it is: signature, key, token, time window and nonce of both forms.

use jiff::{SignedDuration, Timestamp};
use sampan_core::Cloud;

use super::refusal::Refusal;
use super::{Arrived, Ecs, VERSION, time};
use crate::alibaba::acs3::{self, Authorization, Signable};
use crate::alibaba::rpc;
use crate::world::Account;

/// How far a call's time may be from the server's.
const WINDOW: SignedDuration = SignedDuration::from_mins(15);

/// What a call claims about itself, in either form.
struct Claim {
    access_key_id: String,
    signature: String,
    timestamp: String,
    nonce: String,
    token: Option<String>,
    string_to_sign: String,
}

impl Ecs {
    /// Finds the account that signed the call.
    ///
    /// The order of the checks is key, time, signature, token, nonce, so that a forged call uses up no nonce.
    pub(super) fn identify(&self, arrived: &Arrived) -> Result<Account, Refusal> {
        let claim = if arrived.is_acs3() { arrived.acs3_claim()? } else { arrived.rpc_claim()? };
        let account = self
            .world
            .account_by_key(Cloud::Alibaba, &claim.access_key_id)
            .ok_or_else(|| Refusal::not_found("InvalidAccessKeyId.NotFound", "Specified access key is not found."))?;
        let now = self.world.auth_now();
        let signed_at = check_time(&claim.timestamp, now)?;
        let expected = if arrived.is_acs3() {
            acs3::signature(&account.secret_key, &claim.string_to_sign)
        } else {
            rpc::signature(&account.secret_key, &claim.string_to_sign)
        };
        if expected != claim.signature {
            let message = format!(
                "Specified signature is not matched with our calculation. server string to sign is:{}",
                claim.string_to_sign
            );
            return Err(Refusal::bad_request("SignatureDoesNotMatch", message));
        }
        check_token(&account, claim.token.as_deref())?;
        check_version(arrived)?;
        let forget_at = signed_at.max(now).checked_add(WINDOW).unwrap_or(now);
        if !self.nonces.is_fresh(&claim.access_key_id, &claim.nonce, now, forget_at) {
            return Err(Refusal::bad_request("SignatureNonceUsed", "Specified signature nonce was used already."));
        }
        Ok(account)
    }
}

fn check_time(text: &str, now: Timestamp) -> Result<Timestamp, Refusal> {
    let has_seconds = text.len() == "yyyy-MM-ddTHH:mm:ssZ".len();
    let signed_at = time::parse(text).filter(|_| has_seconds).ok_or_else(|| {
        Refusal::bad_request("InvalidTimeStamp.Format", "Specified time stamp or date value is not well formatted.")
    })?;
    if now.duration_since(signed_at).abs() > WINDOW {
        return Err(Refusal::bad_request("InvalidTimeStamp.Expired", "Specified time stamp or date value is expired."));
    }
    Ok(signed_at)
}

fn check_token(account: &Account, sent: Option<&str>) -> Result<(), Refusal> {
    match (account.token.as_deref(), sent) {
        (None, None) => Ok(()),
        (Some(wanted), Some(sent)) if wanted == sent => Ok(()),
        (Some(_), None) => {
            Err(Refusal::bad_request("MissingSecurityToken", "SecurityToken is mandatory for this action."))
        }
        (Some(_), Some(_)) => Err(Refusal::bad_request(
            "InvalidSecurityToken.Malformed",
            "The specified parameter \"SecurityToken.Malformed\" is not valid.",
        )),
        (None, Some(_)) => Err(Refusal::bad_request(
            "InvalidSecurityToken.MismatchWithAccessKey",
            "Specified SecurityToken mismatch with the AccessKey.",
        )),
    }
}

fn check_version(arrived: &Arrived) -> Result<(), Refusal> {
    let version = arrived.header("x-acs-version").or_else(|| arrived.parameters.optional("Version").map(str::to_owned));
    match version.as_deref() {
        Some(VERSION) => Ok(()),
        Some(_) => Err(Refusal::bad_request("InvalidVersion", "Specified parameter Version is not valid.")),
        None => Err(Refusal::missing("Version")),
    }
}

impl Arrived {
    fn acs3_claim(&self) -> Result<Claim, Refusal> {
        let header = self.header("authorization").unwrap_or_default();
        let incomplete = |what: &str| {
            let message = format!("The request signature does not conform to Aliyun standards: {what}.");
            Refusal::bad_request("IncompleteSignature", message)
        };
        let authorization =
            Authorization::parse(&header).ok_or_else(|| incomplete("a part of the header is missing"))?;
        // The vendor's rule for the signed set; a client that leaves one out is not protected against its change.
        let unsigned = self.headers.keys().map(http::HeaderName::as_str).find(|name| {
            (*name == "host" || *name == "content-type" || name.starts_with("x-acs-"))
                && !authorization.signed_headers.contains(name)
        });
        if let Some(name) = unsigned {
            return Err(incomplete(&format!("header {name} is not signed")));
        }
        let signable = Signable {
            method: self.method.as_str(),
            query: &self.query,
            headers: &self.headers,
            signed_headers: &authorization.signed_headers,
            body: &self.body,
        };
        Ok(Claim {
            access_key_id: authorization.access_key_id.to_owned(),
            signature: authorization.signature.to_owned(),
            timestamp: self.header("x-acs-date").ok_or_else(|| Refusal::missing("x-acs-date"))?,
            nonce: self.header("x-acs-signature-nonce").ok_or_else(|| Refusal::missing("x-acs-signature-nonce"))?,
            token: self.header("x-acs-security-token"),
            string_to_sign: signable.string_to_sign(),
        })
    }

    fn rpc_claim(&self) -> Result<Claim, Refusal> {
        let text = |name| self.parameters.required(name).map(str::to_owned);
        let claim = Claim {
            access_key_id: text("AccessKeyId")?,
            signature: text("Signature")?,
            timestamp: text("Timestamp")?,
            nonce: text("SignatureNonce")?,
            token: self.parameters.optional("SecurityToken").map(str::to_owned),
            string_to_sign: rpc::string_to_sign(self.method.as_str(), self.parameters.pairs()),
        };
        for (name, only) in [("SignatureMethod", "HMAC-SHA1"), ("SignatureVersion", "1.0")] {
            if self.parameters.required(name)? != only {
                return Err(Refusal::invalid(name));
            }
        }
        Ok(claim)
    }
}

#[cfg(test)]
mod tests;
