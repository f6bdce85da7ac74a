//! `DescribeRegions`: the regions that the account can use.

use sampan_cloud::CallError;
use sampan_core::{Reason, Region};
use serde::Deserialize;

use super::{Ecs, refuse};
use crate::lenient::Scalar;

const ACTION: &str = "DescribeRegions";
/// Whose host is asked; every host answers the same.
const ASKED: &str = "cn-hangzhou";

#[derive(Debug, Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Answer {
    regions: Regions,
}

#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "PascalCase", default)]
struct Regions {
    region: Vec<RegionRow>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "PascalCase", default)]
struct RegionRow {
    region_id: Scalar,
}

impl Ecs {
    /// Lists the regions, those whose instances are sold out too: an image needs none.
    pub(crate) async fn regions(&self) -> Result<Vec<Region>, CallError> {
        let Ok(asked) = ASKED.parse::<Region>() else {
            return Err(refuse(ACTION, Reason::InternalFault, "no such region"));
        };
        let answer: Answer = self.read(ACTION, &asked, Vec::new()).await?;
        Ok(answer.regions.region.iter().filter_map(|row| row.region_id.text().parse().ok()).collect())
    }
}
