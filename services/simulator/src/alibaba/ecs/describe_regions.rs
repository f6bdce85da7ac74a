//! DescribeRegions: the regions that the simulator knows.

use sampan_core::Cloud;
use serde_json::{Map, Value, json};

use crate::world;

pub(super) fn run() -> Map<String, Value> {
    let regions: Vec<Value> = world::regions(Cloud::Alibaba)
        .iter()
        .map(|region| {
            json!({
                "RegionId": region,
                "RegionEndpoint": format!("ecs.{region}.aliyuncs.com"),
                "LocalName": region,
                "Status": "available",
            })
        })
        .collect();
    Map::from_iter([("Regions".to_owned(), json!({"Region": regions}))])
}
