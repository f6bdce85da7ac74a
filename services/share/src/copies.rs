//! Finds the copies of an image: what earlier operations of the kind `copy` have left, and copies of those.

use std::collections::{BTreeMap, BTreeSet, VecDeque};

use sampan_chassis::convert::operation::COPY;
use sampan_core::{ImageId, OperationId, Region};
use sampan_ops::{Engine, Error};
use sampan_state::ListQuery;
use sampan_state::operation::Operation;
use sampan_state::result::CopyResult;
use serde::{Deserialize, Serialize};

use crate::spec::ShareSpec;

/// Operations per page of the store.
const PAGE: u32 = 500;
/// Copies that one change follows to.
const MOST: usize = 200;

/// A copy of an image.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct CopyOf {
    /// Its region.
    pub region: Region,
    /// The copy.
    pub image: ImageId,
}

/// What the store knows of the copies of an image.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Copies {
    /// The copies, nearest kin first, then by region.
    pub found: Vec<CopyOf>,
    /// Copy operations of the image, or of a copy of it, that have not ended.
    pub unfinished: Vec<OperationId>,
}

impl Copies {
    /// Looks them up. Copies that were removed at the cloud since are among them.
    ///
    /// # Errors
    /// [`Error::Store`] when the store cannot be read.
    pub async fn of(engine: &Engine, spec: &ShareSpec) -> Result<Self, Error> {
        let mut copies = Self::default();
        let mut seen = BTreeSet::from([spec.image.clone()]);
        let mut regions: BTreeMap<Region, Vec<Made>> = BTreeMap::new();
        let mut open = VecDeque::from([CopyOf { region: spec.region.clone(), image: spec.image.clone() }]);
        while let Some(source) = open.pop_front() {
            if !regions.contains_key(&source.region) {
                regions.insert(source.region.clone(), made_in(engine, spec, &source.region).await?);
            }
            let made = regions.get(&source.region).into_iter().flatten().filter(|made| made.source == source.image);
            let mut kin = Vec::new();
            for made in made {
                if !made.is_done {
                    copies.unfinished.push(made.operation);
                }
                kin.extend(made.copies.iter().filter(|copy| seen.insert(copy.image.clone())).cloned());
            }
            kin.sort();
            open.extend(kin.iter().cloned());
            copies.found.extend(kin);
            if copies.found.len() >= MOST {
                tracing::warn!(image = %spec.image, most = MOST, "more copies than one change follows to");
                copies.found.truncate(MOST);
                break;
            }
        }
        Ok(copies)
    }
}

/// What one copy operation has made.
struct Made {
    operation: OperationId,
    source: ImageId,
    copies: Vec<CopyOf>,
    is_done: bool,
}

async fn made_in(engine: &Engine, spec: &ShareSpec, region: &Region) -> Result<Vec<Made>, Error> {
    let mut query = ListQuery {
        kinds: vec![COPY.to_owned()],
        cloud: Some(spec.cloud),
        account: Some(spec.account.to_string()),
        region: Some(region.to_string()),
        page_size: PAGE,
        ..ListQuery::default()
    };
    let mut all = Vec::new();
    loop {
        let page = engine.list(&query).await?;
        all.extend(page.operations.iter().filter_map(|operation| made(operation, spec)));
        query.before = page.operations.last().map(|operation| operation.id);
        if !page.more || query.before.is_none() {
            return Ok(all);
        }
    }
}

fn made(operation: &Operation, spec: &ShareSpec) -> Option<Made> {
    let source = operation.image()?.parse().ok()?;
    let result = operation.result.as_ref().and_then(|result| CopyResult::deserialize(result).ok()).unwrap_or_default();
    let own = result.images.into_iter().filter(|copied| copied.at.account == spec.account.as_str());
    Some(Made {
        operation: operation.id,
        source,
        copies: own.map(|copied| CopyOf { region: copied.at.region, image: copied.at.image }).collect(),
        is_done: operation.state.is_final(),
    })
}
