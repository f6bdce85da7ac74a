//! DescribeImageSharePermission: a page of the accounts that may use an image of the caller's.

use sampan_core::Cloud;
use serde_json::{Value, json};

use super::image_codes::{Act, in_vendor_words};
use super::{Answer, Context, time};

pub(super) fn run(context: &Context<'_>) -> Answer {
    let parameters = context.parameters;
    let region = parameters.region()?;
    let image_id = parameters.required("ImageId")?;
    let page = parameters.page()?;
    let receivers = context
        .world
        .receivers(Cloud::Alibaba, &context.account.id, region, image_id)
        .map_err(|refusal| in_vendor_words(Act::Share, &refusal))?;
    let accounts: Vec<Value> = receivers
        .iter()
        .map(|share| {
            // A number in the vendor's own sample, though its clients call it text.
            let id = share.receiver.parse::<u64>().map_or_else(|_| json!(share.receiver), |number| json!(number));
            json!({"AliyunId": id, "SharedTime": time::to_seconds(share.shared_at)})
        })
        .collect();
    let answer = json!({
        "RegionId": region,
        "ImageId": image_id,
        "PageNumber": page.number,
        "PageSize": page.size,
        "TotalCount": accounts.len(),
        "Accounts": {"Account": page.of(accounts)},
        "ShareGroups": {"ShareGroup": []},
    });
    Ok(answer.as_object().cloned().unwrap_or_default())
}
