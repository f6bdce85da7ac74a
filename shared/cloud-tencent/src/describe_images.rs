//! `DescribeImages`: images of a region by id or by name, and how many there are.

use std::collections::HashMap;

use futures::{StreamExt as _, TryStreamExt as _, stream};
use sampan_cloud::copy::CopiedImage;
use sampan_cloud::image::Image;
use sampan_cloud::stack::Idempotency;
use sampan_cloud::{CallClass, CallError};
use sampan_core::{ImageId, Region};
use serde::Deserialize;
use serde_json::{Value, json};

use crate::api::{Action, Api, Service};
use crate::image::Described;

/// 40 requests per second: document 213/15715.
const ACTION: Action = Action { service: Service::Cvm, name: "DescribeImages", per_second: Some(40) };
/// Images that one call describes, by id or as a page: the vendor's ceiling.
pub(crate) const MOST_IMAGES: usize = 100;
/// Pages that are read at most; more would be a listing that never ends.
const MOST_PAGES: usize = 50;
/// Images that are asked for side by side.
const SIDE_BY_SIDE: usize = 8;

/// Describes `image`; `None` when the account has no such image in `region`. Encryption is never known here.
pub(crate) async fn one(api: &Api, region: &Region, image: &ImageId) -> Result<Option<Image>, CallError> {
    let found = by_id(api, region, std::slice::from_ref(image)).await?;
    Ok(found.into_iter().next().map(|(id, one)| one.into_image(id)))
}

/// Describes images, at most [`MOST_IMAGES`], as copies; those that the account does not have are left out.
pub(crate) async fn copied(
    api: &Api,
    region: &Region,
    images: &[ImageId],
) -> Result<HashMap<ImageId, CopiedImage>, CallError> {
    let found = match by_id(api, region, images).await {
        Ok(found) => found,
        // One bad id spoils the call for all, so that each is asked for by itself.
        Err(error) if images.len() > 1 && is_about_one(error.class) => {
            let each = stream::iter(images.to_vec());
            let found = each.map(|image| async move { by_id(api, region, &[image]).await });
            let found: Vec<_> = found.buffered(SIDE_BY_SIDE).try_collect().await?;
            found.into_iter().flatten().collect()
        }
        Err(error) => return Err(error),
    };
    Ok(found.into_iter().map(|(id, one)| (id.clone(), one.into_copied(id))).collect())
}

/// Finds the account's own images of exactly that name, in any state, in the vendor's order.
pub(crate) async fn named(api: &Api, region: &Region, name: &str) -> Result<Vec<CopiedImage>, CallError> {
    let mut found = Vec::new();
    let mut seen = 0;
    for _ in 0..MOST_PAGES {
        let filters = json!([own(), { "Name": "image-name", "Values": [name] }]);
        let body = json!({ "Filters": filters, "Offset": seen, "Limit": MOST_IMAGES });
        let page = call(api, region, &body).await?;
        let shown = page.image_set.unwrap_or_default();
        seen += shown.len();
        let more = !shown.is_empty() && page.total_count.is_none_or(|total| seen < total);
        // The vendor also shows images that merely contain the name.
        let exact = shown.into_iter().filter(|one| one.image_name.as_deref() == Some(name));
        found.extend(exact.filter_map(|one| Some((one.id()?, one))).map(|(id, one)| one.into_copied(id)));
        if !more {
            break;
        }
    }
    Ok(found)
}

/// Counts the account's own images, in any state.
pub(crate) async fn count(api: &Api, region: &Region) -> Result<u64, CallError> {
    let request = api.request(&ACTION, region, Idempotency::Safe, &json!({ "Filters": [own()], "Limit": 1 }));
    Ok(api.call::<Count>(request).await?.content.total_count)
}

fn own() -> Value {
    json!({ "Name": "image-type", "Values": ["PRIVATE_IMAGE"] })
}

async fn by_id(api: &Api, region: &Region, images: &[ImageId]) -> Result<Vec<(ImageId, Described)>, CallError> {
    let ids: Vec<_> = images.iter().map(ImageId::as_str).collect();
    match call(api, region, &json!({ "ImageIds": ids, "Limit": MOST_IMAGES })).await {
        Ok(content) => {
            let described = content.image_set.unwrap_or_default().into_iter();
            let found = described.filter_map(|one| Some((one.id()?, one)));
            Ok(found.filter(|(id, _)| images.contains(id)).collect())
        }
        // Documented for other actions only; here an unknown image is an empty set.
        Err(error) if error.class == CallClass::NotFound && images.len() == 1 => Ok(Vec::new()),
        Err(error) => Err(error),
    }
}

/// Whether a refusal may be due to one of several ids.
fn is_about_one(class: CallClass) -> bool {
    matches!(class, CallClass::Caller | CallClass::NotFound)
}

async fn call(api: &Api, region: &Region, body: &Value) -> Result<Content, CallError> {
    Ok(api.call::<Content>(api.request(&ACTION, region, Idempotency::Safe, body)).await?.content)
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Content {
    image_set: Option<Vec<Described>>,
    total_count: Option<usize>,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Count {
    total_count: u64,
}
