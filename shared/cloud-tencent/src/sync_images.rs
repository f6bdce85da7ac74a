//! `SyncImages`: copies an image to other regions, or asks whether the copy would be accepted.
//!
//! The action takes no token, so whoever repeats it must look first. It answers with the new images only when it is
//! asked to.

use std::collections::BTreeMap;

use sampan_cloud::CallError;
use sampan_cloud::copy::{CopyCall, CopyStarted};
use sampan_cloud::stack::Idempotency;
use sampan_core::{ImageId, Region};
use serde::Deserialize;
use serde_json::{Map, Value, json};

use crate::api::{Action, Answer, Api, Service};

pub(crate) const NAME: &str = "SyncImages";
/// 10 requests per second: document 213/15711.
const ACTION: Action = Action { service: Service::Cvm, name: NAME, per_second: Some(10) };

/// Whether the call starts something.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Mode {
    Start,
    DryRun,
}

/// Starts the copies to all destinations.
pub(crate) async fn start(api: &Api, call: &CopyCall) -> Result<CopyStarted, CallError> {
    let request = api.request(&ACTION, &call.source, Idempotency::Unsafe, &body(call, Mode::Start));
    let Answer { content, request_id } = api.call::<Content>(request).await?;
    Ok(CopyStarted { images: content.into_images(), request_id })
}

/// Asks whether the copies would be accepted.
pub(crate) async fn dry_run(api: &Api, call: &CopyCall) -> Result<(), CallError> {
    let request = api.request(&ACTION, &call.source, Idempotency::Safe, &body(call, Mode::DryRun));
    // What a dry run says besides its success is documented nowhere.
    api.call::<Value>(request).await.map(|_| ())
}

fn body(call: &CopyCall, mode: Mode) -> Value {
    let mut body = Map::new();
    // A list by its form, but one image a call.
    body.insert("ImageIds".to_owned(), json!([call.image.as_str()]));
    let destinations: Vec<_> = call.destinations.iter().map(Region::as_str).collect();
    body.insert("DestinationRegions".to_owned(), json!(destinations));
    body.insert("DryRun".to_owned(), json!(mode == Mode::DryRun));
    body.insert("ImageSetRequired".to_owned(), json!(true));
    if let Some(name) = &call.name {
        body.insert("ImageName".to_owned(), json!(name));
    }
    if let Some(encryption) = &call.encryption {
        body.insert("Encrypt".to_owned(), json!(true));
        if let Some(key) = &encryption.kms_key_id {
            body.insert("KmsKeyId".to_owned(), json!(key));
        }
    }
    Value::Object(body)
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Content {
    image_set: Option<Vec<NewImage>>,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "PascalCase")]
struct NewImage {
    image_id: Option<String>,
    region: Option<String>,
}

impl Content {
    /// Returns the new images by destination; what is no id or no region is left out, and found by name later.
    fn into_images(self) -> BTreeMap<Region, ImageId> {
        let pair = |one: NewImage| Some((one.region?.parse().ok()?, one.image_id?.parse().ok()?));
        self.image_set.unwrap_or_default().into_iter().filter_map(pair).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use sampan_cloud::copy::Encryption;

    fn call() -> CopyCall {
        CopyCall {
            source: "ap-guangzhou".parse().unwrap(),
            image: "img-72n9mi0y".parse().unwrap(),
            destinations: ["ap-beijing", "ap-shanghai"].map(|region| region.parse().unwrap()).to_vec(),
            name: Some("web".to_owned()),
            description: None,
            encryption: None,
            resource_group_id: None,
            tags: BTreeMap::new(),
            token: None,
        }
    }

    #[test]
    fn the_body_names_every_destination_and_asks_for_the_new_images() {
        assert_eq!(
            body(&call(), Mode::Start),
            json!({
                "ImageIds": ["img-72n9mi0y"], "DestinationRegions": ["ap-beijing", "ap-shanghai"],
                "DryRun": false, "ImageSetRequired": true, "ImageName": "web",
            })
        );
        assert_eq!(body(&CopyCall { name: None, ..call() }, Mode::DryRun).get("ImageName"), None);
    }

    #[test]
    fn a_key_is_named_only_where_one_was_chosen() {
        let encrypted = |key: Option<&str>| {
            let encryption = Encryption { kms_key_id: key.map(ToOwned::to_owned) };
            let body = body(&CopyCall { encryption: Some(encryption), ..call() }, Mode::DryRun);
            (body["Encrypt"].clone(), body.get("KmsKeyId").cloned(), body["DryRun"].clone())
        };
        assert_eq!(encrypted(None), (json!(true), None, json!(true)));
        assert_eq!(encrypted(Some("k-1")), (json!(true), Some(json!("k-1")), json!(true)));
    }

    #[test]
    fn an_acceptance_tells_the_images_that_it_knows() {
        let images = |json: &str| serde_json::from_str::<Content>(json).unwrap().into_images();
        for json in ["{}", r#"{"ImageSet":null}"#, r#"{"ImageSet":[]}"#, r#"{"ImageSet":[{"Region":"ap-tokyo"}]}"#] {
            assert!(images(json).is_empty(), "{json}");
        }
        let told = images(r#"{"ImageSet":[{"ImageId":"img-a","Region":"ap-beijing"},{"ImageId":null}]}"#);
        assert_eq!(told, BTreeMap::from([("ap-beijing".parse().unwrap(), "img-a".parse().unwrap())]));
    }
}
