//! ListObjectsV2 and the older ListObjects: a page of keys and common prefixes, in the order of their bytes.

use axum::body::Body;
use base64::Engine;
use base64::prelude::BASE64_URL_SAFE_NO_PAD;
use http::Response;
use sampan_core::Cloud;

use super::object::{etag, type_word};
use super::refusal::Refusal;
use super::xml::Document;
use super::{Arrived, Context, time, xml_answer};
use crate::alibaba::percent::encode;
use crate::world::Object;

const DEFAULT_KEYS: usize = 100;
const MAX_KEYS: usize = 1000;

pub(super) fn run(context: &Context<'_>) -> Result<Response<Body>, Refusal> {
    let query = Query::read(context.arrived)?;
    let objects = context.world.objects(Cloud::Alibaba, &context.bucket.name, &query.prefix);
    let page = Page::of(&objects, &query);
    let document = if query.is_v2 { v2_document(context, &query, &page) } else { v1_document(context, &query, &page) };
    Ok(xml_answer(page.write(document, &query, &context.bucket.account).finish()))
}

struct Query {
    is_v2: bool,
    prefix: String,
    delimiter: String,
    /// Only what comes behind this is listed: marker, start-after or the token's key.
    after: String,
    token: String,
    start_after: String,
    max_keys: usize,
    is_encoded: bool,
    has_owner: bool,
}

impl Query {
    fn read(arrived: &Arrived) -> Result<Self, Refusal> {
        let text = |name| arrived.parameter(name).unwrap_or_default();
        let is_v2 = match text("list-type") {
            "" => false,
            "2" => true,
            other => return Err(Refusal::invalid_argument("list-type", other)),
        };
        let max_keys = match text("max-keys") {
            "" => DEFAULT_KEYS,
            number => number
                .parse()
                .ok()
                .filter(|count| (1..=MAX_KEYS).contains(count))
                .ok_or_else(|| Refusal::invalid_argument("max-keys", number))?,
        };
        let is_encoded = match text("encoding-type") {
            "" => false,
            "url" => true,
            other => return Err(Refusal::invalid_argument("encoding-type", other)),
        };
        let token = if is_v2 { text("continuation-token") } else { "" };
        let after = if !is_v2 {
            text("marker").to_owned()
        } else if token.is_empty() {
            text("start-after").to_owned()
        } else {
            read_token(token).ok_or_else(|| Refusal::invalid_argument("continuation-token", token))?
        };
        Ok(Self {
            is_v2,
            prefix: text("prefix").to_owned(),
            delimiter: text("delimiter").to_owned(),
            after,
            token: token.to_owned(),
            start_after: text("start-after").to_owned(),
            max_keys,
            is_encoded,
            has_owner: !is_v2 || text("fetch-owner") == "true",
        })
    }

    /// Encoded when the caller asked for it; without the element `EncodingType` clients do not decode.
    fn show(&self, text: &str) -> String {
        if self.is_encoded { encode(text) } else { text.to_owned() }
    }
}

/// The key that a page ended with, so that the next page needs no memory here.
fn write_token(key: &str) -> String {
    BASE64_URL_SAFE_NO_PAD.encode(key)
}

fn read_token(token: &str) -> Option<String> {
    String::from_utf8(BASE64_URL_SAFE_NO_PAD.decode(token).ok()?).ok()
}

struct Page<'a> {
    objects: Vec<&'a Object>,
    prefixes: Vec<String>,
    /// Last name of the page when there is more behind it.
    next: Option<String>,
}

impl<'a> Page<'a> {
    /// Takes the next names from `objects`, which are sorted and have the prefix.
    fn of(objects: &'a [Object], query: &Query) -> Self {
        let mut page = Self { objects: Vec::new(), prefixes: Vec::new(), next: None };
        let mut last = query.after.clone();
        for object in objects {
            let group = common_prefix(&object.key, query);
            let name = group.clone().unwrap_or_else(|| object.key.clone());
            // A group is passed with its first key; its other keys sort behind its name but belong to it.
            if name <= last {
                continue;
            }
            if page.objects.len() + page.prefixes.len() == query.max_keys {
                page.next = Some(last);
                break;
            }
            match group {
                Some(group) => page.prefixes.push(group),
                None => page.objects.push(object),
            }
            last = name;
        }
        page
    }

    fn write(&self, mut document: Document, query: &Query, owner: &str) -> Document {
        for object in &self.objects {
            document = document.nested("Contents", |contents| {
                let contents = contents
                    .text("Key", query.show(&object.key))
                    .text("LastModified", time::to_iso(object.last_modified))
                    .text("ETag", etag(object))
                    .text("Type", type_word(object))
                    .text("Size", object.size.to_string())
                    .text("StorageClass", &object.storage_class);
                if query.has_owner {
                    contents.nested("Owner", |element| element.text("ID", owner).text("DisplayName", owner))
                } else {
                    contents
                }
            });
        }
        for prefix in &self.prefixes {
            document = document.nested("CommonPrefixes", |element| element.text("Prefix", query.show(prefix)));
        }
        document
    }
}

/// The key up to the first delimiter behind the prefix.
fn common_prefix(key: &str, query: &Query) -> Option<String> {
    if query.delimiter.is_empty() {
        return None;
    }
    let rest = key.strip_prefix(query.prefix.as_str())?;
    let (group, _) = rest.split_once(query.delimiter.as_str())?;
    Some(format!("{}{group}{}", query.prefix, query.delimiter))
}

fn head_of_document(context: &Context<'_>, query: &Query, page: &Page<'_>) -> Document {
    let document = Document::new("ListBucketResult")
        .text("Name", &context.bucket.name)
        .text("Prefix", query.show(&query.prefix))
        .text("MaxKeys", query.max_keys.to_string())
        .text("Delimiter", query.show(&query.delimiter))
        .text("IsTruncated", page.next.is_some().to_string());
    if query.is_encoded { document.text("EncodingType", "url") } else { document }
}

fn v2_document(context: &Context<'_>, query: &Query, page: &Page<'_>) -> Document {
    let count = page.objects.len() + page.prefixes.len();
    let mut document = head_of_document(context, query, page).text("KeyCount", count.to_string());
    if !query.start_after.is_empty() {
        document = document.text("StartAfter", query.show(&query.start_after));
    }
    if !query.token.is_empty() {
        document = document.text("ContinuationToken", &query.token);
    }
    match &page.next {
        Some(next) => document.text("NextContinuationToken", write_token(next)),
        None => document,
    }
}

fn v1_document(context: &Context<'_>, query: &Query, page: &Page<'_>) -> Document {
    let document = head_of_document(context, query, page).text("Marker", query.show(&query.after));
    match &page.next {
        Some(next) => document.text("NextMarker", query.show(next)),
        None => document,
    }
}
