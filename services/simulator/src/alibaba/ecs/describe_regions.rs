//! DescribeRegions: the regions that the simulator knows.

use sampan_core::Cloud;
use serde_json::{Map, Value, json};

use super::refusal::Refusal;
use super::{Answer, Context};
use crate::world;

/// Languages in which the vendor names regions.
const LANGUAGES: [&str; 7] = ["zh-CN", "zh-TW", "en-US", "ja", "fr", "de", "ko"];
/// Kinds of resources for which regions can be asked.
const RESOURCES: [&str; 4] = ["instance", "disk", "reservedinstance", "scu"];

pub(super) fn run(context: &Context<'_>) -> Answer {
    for (name, known, code) in [
        ("AcceptLanguage", LANGUAGES.as_slice(), "InvalidAcceptLanguage.NotFound"),
        ("ResourceType", RESOURCES.as_slice(), "InvalidResourceType.NotFound"),
    ] {
        if context.parameters.optional(name).is_some_and(|word| !known.contains(&word)) {
            return Err(Refusal::not_found(code, format!("The specified {name} is not found.")));
        }
    }
    let regions: Vec<Value> = world::regions(Cloud::Alibaba)
        .iter()
        .map(|region| {
            // The oldest region has a host name of the old form.
            let separator = if *region == "cn-hangzhou" { '-' } else { '.' };
            json!({
                "RegionId": region,
                "RegionEndpoint": format!("ecs{separator}{region}.aliyuncs.com"),
                "LocalName": region,
                "Status": "available",
            })
        })
        .collect();
    Ok(Map::from_iter([("Regions".to_owned(), json!({"Region": regions}))]))
}
