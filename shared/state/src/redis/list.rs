//! Decides how operations are listed: each shard newest first, a few at a time, merged here.

use std::collections::VecDeque;

use futures::future::try_join_all;
use serde::Serialize;
use tracing::warn;

use super::Inner;
use super::call::Call;
use super::keys::Shard;
use super::record::state_word;
use super::reply::Found;
use super::scripts::LIST;
use crate::error::Error;
use crate::operation::Operation;
use crate::operations::{ListPage, ListQuery};

/// Operations per page at most.
const PAGE_MOST: u32 = 1000;
/// Operations that one script looks at: a longer one would keep others waiting.
const LOOK: u32 = 500;

/// What scripts can tell apart by themselves; labels are looked at here.
#[derive(Debug, Serialize)]
struct Filter<'a> {
    #[serde(skip_serializing_if = "<[String]>::is_empty")]
    kinds: &'a [String],
    #[serde(skip_serializing_if = "Vec::is_empty")]
    states: Vec<&'static str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    cloud: Option<&'static str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    account: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    region: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    caller: Option<&'a str>,
}

/// The part of a list that lies in one shard.
struct Part {
    shard: Shard,
    /// Everything newer was looked at; `None` at the end of the shard.
    before: Option<String>,
    read: VecDeque<Found>,
}

impl Inner {
    pub(super) async fn list(&self, query: &ListQuery) -> Result<ListPage, Error> {
        let size = usize::try_from(query.page_size.clamp(1, PAGE_MOST)).unwrap_or(1);
        let filter = Filter {
            kinds: &query.kinds,
            states: query.states.iter().map(|state| state_word(*state)).collect(),
            cloud: query.cloud.map(sampan_core::Cloud::as_str),
            account: query.account.as_deref(),
            region: query.region.as_deref(),
            caller: query.caller.as_deref(),
        };
        let filter = serde_json::to_string(&filter).map_err(|problem| Error::Invalid(problem.to_string()))?;
        let before = query.before.map(|id| id.to_string()).unwrap_or_default();
        let part = |shard| Part { shard, before: Some(before.clone()), read: VecDeque::new() };
        let mut parts: Vec<Part> = Shard::all().map(part).collect();
        let mut operations = Vec::new();
        // A page is spread over the shards, more or less evenly.
        let count = (query.page_size.clamp(1, PAGE_MOST) / 4).max(4);
        loop {
            self.fill(&mut parts, &filter, count).await?;
            let newest = parts.iter_mut().max_by_key(|part| part.read.front().map(|found| found.id));
            let Some(found) = newest.and_then(|part| part.read.pop_front()) else {
                return Ok(ListPage { operations, more: false });
            };
            let id = found.id;
            match found.operation() {
                Ok(operation) if has_labels(query, &operation) => {
                    if operations.len() == size {
                        return Ok(ListPage { operations, more: true });
                    }
                    operations.push(operation);
                }
                Ok(_) => {}
                Err(problem) => warn!(operation = %id, %problem, "operation not listed"),
            }
        }
    }

    /// Reads on in every shard that has nothing read left, until it has, or is at its end.
    async fn fill(&self, parts: &mut [Part], filter: &str, count: u32) -> Result<(), Error> {
        loop {
            let empty = parts.iter_mut().filter(|part| part.read.is_empty() && part.before.is_some());
            let reads: Vec<_> = empty.map(|part| self.read_on(part, filter, count)).collect();
            if reads.is_empty() {
                return Ok(());
            }
            try_join_all(reads).await?;
        }
    }

    async fn read_on(&self, part: &mut Part, filter: &str, count: u32) -> Result<(), Error> {
        let before = part.before.clone().unwrap_or_default();
        let call = Call::new(&LIST, part.shard).arg(before).number(count).number(LOOK).arg(filter);
        let mut reply = self.run(call).await?;
        part.before = Some(reply.text()?).filter(|last| !last.is_empty());
        part.read = reply.list()?.all_found()?.into();
        for (operation, problem) in reply.list()?.pairs()? {
            warn!(operation, problem, "operation not listed");
        }
        Ok(())
    }
}

fn has_labels(query: &ListQuery, operation: &Operation) -> bool {
    query.labels.iter().all(|(label, value)| operation.labels.get(label) == Some(value))
}
