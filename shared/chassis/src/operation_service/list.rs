//! Reads the filters of a list and makes its pages.
//!
//! A page token is the last operation of the page and a mark of the filters: with other filters it would silently
//! continue another list.

use prost::Message as _;
use sampan_core::{AccountName, OperationId, Reason, Region};
use sampan_proto::operation::v1 as pb;
use sampan_state::operation::{Operation, State};
use sampan_state::{ListPage, ListQuery};

use super::OperationApi;
use crate::convert;
use crate::convert::request::Fields;
use crate::server::MAX_MESSAGE_BYTES;
use crate::status::Problem;

const DEFAULT_PAGE: u32 = 50;
const LARGEST_PAGE: u32 = 200;
// Clients refuse answers above 4 MiB unless they are told otherwise: a page of very large operations ends before.
const LARGEST_PAGE_BYTES: usize = MAX_MESSAGE_BYTES / 4 * 3;
// Pages of the store that one limited page looks through at most.
const MOST_READS: usize = 50;

/// Reads a request.
pub(super) fn query(request: &pb::ListOperationsRequest) -> Result<ListQuery, Problem> {
    let mut fields = Fields::new();
    let account: Option<AccountName> = fields.optional("account", &request.account);
    let region: Option<Region> = fields.optional("region", &request.region);
    let mut labels: Vec<_> = request.labels.clone().into_iter().collect();
    labels.sort();
    let mut query = ListQuery {
        kinds: kinds(&mut fields, &request.kinds),
        states: states(&mut fields, &request.states),
        cloud: fields.optional_cloud("cloud", request.cloud),
        account: account.map(String::from),
        region: region.map(String::from),
        caller: Some(request.caller.clone()).filter(|caller| !caller.is_empty()),
        labels,
        page_size: fields.page_size("page_size", request.page_size, DEFAULT_PAGE, LARGEST_PAGE),
        before: None,
    };
    if !request.page_token.is_empty() {
        query.before = before(&request.page_token, &query);
        if query.before.is_none() {
            fields.refuse("page_token", Reason::FieldMalformed, "it is no token of a list with these filters");
        }
    }
    fields.finish()?;
    Ok(query)
}

/// A page, and the operation that the next one begins behind.
#[derive(Debug)]
pub(super) struct Page {
    operations: Vec<Operation>,
    next: Option<OperationId>,
}

/// Reads a page of what `may_see` lets through. A page may be short, or empty with a token, when most of what was
/// looked at belongs to others.
pub(super) async fn page(
    api: &OperationApi,
    query: &ListQuery,
    may_see: impl Fn(&Operation) -> bool,
    is_limited: bool,
) -> Result<Page, Problem> {
    let read = async |query: &ListQuery| api.store.list(query).await.map_err(|error| api.problem(error));
    if !is_limited {
        let ListPage { operations, more } = read(query).await?;
        let next = operations.last().map(|record| record.id).filter(|_| more);
        return Ok(Page { operations, next });
    }
    let wanted = usize::try_from(query.page_size).unwrap_or(usize::MAX);
    let mut query = ListQuery { page_size: LARGEST_PAGE, ..query.clone() };
    let mut seen = Vec::new();
    for _ in 0..MOST_READS {
        let ListPage { operations, more } = read(&query).await?;
        query.before = operations.last().map(|record| record.id);
        let mut visible = operations.into_iter().filter(|record| may_see(record));
        seen.extend(visible.by_ref().take(wanted - seen.len()));
        if visible.next().is_some() {
            return Ok(Page { next: seen.last().map(|record| record.id), operations: seen });
        }
        if !more {
            return Ok(Page { operations: seen, next: None });
        }
        if seen.len() == wanted {
            break;
        }
    }
    Ok(Page { operations: seen, next: query.before })
}

/// Makes the answer of a page; one that is too large for a message ends early, never before its first operation.
pub(super) fn response(query: &ListQuery, page: &Page) -> pb::ListOperationsResponse {
    let mut operations = Vec::with_capacity(page.operations.len());
    let (mut next, mut last) = (page.next, None);
    let mut left = LARGEST_PAGE_BYTES;
    for record in &page.operations {
        let operation = convert::operation(record);
        let size = operation.encoded_len();
        if last.is_some() && size > left {
            next = last;
            break;
        }
        left = left.saturating_sub(size);
        last = Some(record.id);
        operations.push(operation);
    }
    pb::ListOperationsResponse { operations, next_page_token: next.map(|last| token(last, query)).unwrap_or_default() }
}

fn kinds(fields: &mut Fields, numbers: &[i32]) -> Vec<String> {
    let mut words = Vec::new();
    for &number in numbers {
        match pb::OperationKind::try_from(number) {
            // One "any" among others means any.
            Ok(pb::OperationKind::Unspecified) => return Vec::new(),
            Ok(pb::OperationKind::Export) => words.push(convert::operation::EXPORT.to_owned()),
            Ok(pb::OperationKind::Copy) => words.push(convert::operation::COPY.to_owned()),
            Ok(pb::OperationKind::Share) => words.push(convert::operation::SHARE.to_owned()),
            Err(_) => fields.refuse("kinds", Reason::EnumValueUnknown, format!("{number} is no known kind")),
        }
    }
    words
}

fn states(fields: &mut Fields, numbers: &[i32]) -> Vec<State> {
    let mut states = Vec::new();
    for &number in numbers {
        match pb::OperationState::try_from(number) {
            Ok(pb::OperationState::Unspecified) => return Vec::new(),
            Ok(wanted) => {
                states.extend(State::ALL.into_iter().filter(|state| convert::operation::state(*state) == wanted));
            }
            Err(_) => fields.refuse("states", Reason::EnumValueUnknown, format!("{number} is no known state")),
        }
    }
    states
}

fn token(last: OperationId, query: &ListQuery) -> String {
    format!("{last}.{:016x}", mark(query))
}

fn before(token: &str, query: &ListQuery) -> Option<OperationId> {
    let (last, marked) = token.split_once('.')?;
    (marked == format!("{:016x}", mark(query))).then(|| last.parse().ok()).flatten()
}

/// Returns the 64-bit FNV-1a hash of the filters: stable between versions and processes, which the standard
/// library's hasher does not promise.
fn mark(query: &ListQuery) -> u64 {
    let mut words: Vec<String> = query.kinds.clone();
    words.extend(query.states.iter().map(|state| convert::operation::state(*state).as_str_name().to_owned()));
    words.push(query.cloud.map(|cloud| cloud.to_string()).unwrap_or_default());
    for text in [&query.account, &query.region, &query.caller] {
        words.push(text.clone().unwrap_or_default());
    }
    words.extend(query.labels.iter().map(|(key, value)| format!("{key}\u{1}{value}")));
    words
        .join("\u{2}")
        .bytes()
        .fold(0xcbf2_9ce4_8422_2325, |hash, byte| (hash ^ u64::from(byte)).wrapping_mul(0x0000_0100_0000_01b3))
}
