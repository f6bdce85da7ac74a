//! Decides what `ModifyImageSharePermission` reads: an image, its receivers, and whether they get or lose it.

use sampan_core::Cloud;

use super::Fields;
use super::error::ApiError;
use super::export_images::check_image_id;
use super::gate::Caller;
use super::image_codes::{Act, coded};
use super::params::Params;
use crate::world::{Call, ShareRequest, World};

/// Shares an image or takes it back, for all accounts of the call or for none.
///
/// # Errors
/// The vendor's code for whatever is wrong; nothing was changed or spent then.
pub(super) fn run(world: &World, caller: &Caller, params: &Params, call: &mut Call) -> Result<Fields, ApiError> {
    call.mutating = true;
    params.only(&["ImageId", "AccountIds", "Permission"])?;
    let image_id = params.required_text("ImageId")?;
    call.image = Some(image_id.to_owned());
    check_image_id(image_id)?;
    let accounts = read_accounts(params)?;
    let (add, remove) = match params.required_text("Permission")? {
        "SHARE" => (accounts, Vec::new()),
        "CANCEL" => (Vec::new(), accounts),
        other => return Err(ApiError::bad_value("Permission", other, "SHARE, CANCEL")),
    };
    let request = ShareRequest {
        account: caller.account.id.clone(),
        region: caller.region.clone(),
        image_id: image_id.to_owned(),
        add,
        remove,
        dry_run: false,
    };
    world.share(Cloud::Tencent, &request).map_err(|refusal| coded(Act::Share, &refusal))?;
    Ok(Fields::new())
}

fn read_accounts(params: &Params) -> Result<Vec<String>, ApiError> {
    let accounts = params.texts("AccountIds")?.unwrap_or_default();
    if accounts.is_empty() {
        return Err(ApiError::missing("AccountIds"));
    }
    for (index, account) in accounts.iter().enumerate() {
        if account.is_empty() || !account.bytes().all(|byte| byte.is_ascii_digit()) {
            return Err(ApiError::new("InvalidAccountId.NotFound", format!("{account:?} is not the id of an account")));
        }
        if accounts.iter().take(index).any(|earlier| earlier == account) {
            return Err(ApiError::new("InvalidParameterValue", format!("AccountIds names {account} twice")));
        }
    }
    Ok(accounts)
}
