//! `ModifyImageSharePermission`: adds accounts to the shares of an image, or removes accounts from them.

use sampan_cloud::CallError;
use sampan_cloud::share::ShareCall;
use sampan_cloud::stack::Idempotency;
use sampan_core::{ImageId, Reason, Region};
use serde_json::{Value, json};

use crate::api::{Action, Api, Service, refuse};

pub(crate) const NAME: &str = "ModifyImageSharePermission";
/// 10 requests per second: document 213/15710.
const ACTION: Action = Action { service: Service::Cvm, name: NAME, per_second: Some(10) };
/// Says that the image is shared with the account already.
const ALREADY_SHARED: &str = "FailedOperation.AccountAlreadyExists";

/// Adds or removes all accounts in one call, and returns the vendor's request id.
pub(crate) async fn change(api: &Api, region: &Region, image: &ImageId, call: &ShareCall) -> Result<String, CallError> {
    let request = api.request(&ACTION, region, Idempotency::Unsafe, &body(image, call)?);
    match api.call::<Value>(request).await {
        Ok(answer) => Ok(answer.request_id),
        // What becomes of the others is documented nowhere, so that only an account by itself is surely done.
        Err(error) if call.add.len() == 1 && error.code.as_deref() == Some(ALREADY_SHARED) => {
            Ok(error.request_id.unwrap_or_default())
        }
        Err(error) => Err(error),
    }
}

fn body(image: &ImageId, call: &ShareCall) -> Result<Value, CallError> {
    let (accounts, permission) = match (call.add.as_slice(), call.remove.as_slice()) {
        ([], accounts @ [_, ..]) => (accounts, "CANCEL"),
        (accounts @ [_, ..], []) => (accounts, "SHARE"),
        ([], []) | ([_, ..], [_, ..]) => {
            return Err(refuse(NAME, Reason::InternalFault, "a call adds accounts or removes accounts"));
        }
    };
    Ok(json!({ "ImageId": image.as_str(), "AccountIds": accounts, "Permission": permission }))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn sent(add: &[&str], remove: &[&str]) -> Result<Value, CallError> {
        let owned = |accounts: &[&str]| accounts.iter().map(|account| (*account).to_owned()).collect();
        body(&"img-72n9mi0y".parse().unwrap(), &ShareCall { add: owned(add), remove: owned(remove) })
    }

    #[test]
    fn one_call_names_every_account_as_text() {
        assert_eq!(
            sent(&["100000000001", "100000000002"], &[]).unwrap(),
            json!({ "ImageId": "img-72n9mi0y", "AccountIds": ["100000000001", "100000000002"], "Permission": "SHARE" })
        );
        assert_eq!(sent(&[], &["100000000001"]).unwrap()["Permission"], "CANCEL");
    }

    #[test]
    fn a_call_that_would_do_two_things_or_none_is_refused_unsent() {
        for refused in [sent(&["1"], &["2"]), sent(&[], &[])] {
            assert_eq!(refused.unwrap_err().attempts, 0);
        }
    }
}
