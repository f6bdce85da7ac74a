//! Decides what a listing (version 1) answers: which keys, folded how, in which page.

use std::fmt::Write;

use axum::body::Body;
use axum::http::{HeaderValue, Response, StatusCode, header};
use jiff::Timestamp;
use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};
use sampan_core::Cloud;

use super::Known;
use super::error::{CosError, escape};
use super::object::quoted;
use crate::world::Object;

/// Items of a page, keys and folders together, when the caller names no number, and the most there are.
const MOST_ITEMS: usize = 1000;
/// What stays as it is under `encoding-type=url`.
const ENCODED: &AsciiSet = &NON_ALPHANUMERIC.remove(b'-').remove(b'_').remove(b'.').remove(b'~').remove(b'/');
/// Sub-resources of a bucket that are not simulated; without this they would look like listings.
const SUB_RESOURCES: [&str; 12] = [
    "acl",
    "cors",
    "lifecycle",
    "location",
    "policy",
    "tagging",
    "uploads",
    "versioning",
    "versions",
    "website",
    "encryption",
    "inventory",
];

/// What a listing asks for.
#[derive(Debug)]
struct Asked<'a> {
    prefix: &'a str,
    delimiter: &'a str,
    marker: &'a str,
    most: usize,
    url_encoded: bool,
}

/// One line of a listing.
#[derive(Debug, PartialEq, Eq)]
enum Item<T> {
    Key(T),
    Folder(String),
}

/// Lists the bucket.
///
/// # Errors
/// 400 `InvalidArgument` for a wrong parameter, 501 `NotImplemented` for a sub-resource.
pub(super) fn run(known: &Known<'_>) -> Result<Response<Body>, CosError> {
    if let Some(name) = SUB_RESOURCES.iter().find(|name| known.param(name).is_some()) {
        let text = format!("the simulator has no ?{name}");
        return Err(CosError::new(StatusCode::NOT_IMPLEMENTED, "NotImplemented", text));
    }
    let asked = read(known)?;
    let objects = known.world.objects(Cloud::Tencent, &known.bucket.name, asked.prefix);
    let (items, is_truncated) = page(&asked, objects, |object| &object.key);
    let document = document(known, &asked, &items, is_truncated);
    let mut response = Response::new(Body::from(document));
    response.headers_mut().insert(header::CONTENT_TYPE, HeaderValue::from_static("application/xml"));
    Ok(response)
}

fn read<'a>(known: &'a Known<'_>) -> Result<Asked<'a>, CosError> {
    let most = match known.param("max-keys").filter(|text| !text.is_empty()) {
        None => MOST_ITEMS,
        Some(text) => text.parse::<usize>().map_err(|_| CosError::invalid_argument("max-keys must be a number"))?,
    };
    let url_encoded = match known.param("encoding-type").unwrap_or_default() {
        "" => false,
        "url" => true,
        _ => return Err(CosError::invalid_argument("encoding-type can only be url")),
    };
    Ok(Asked {
        prefix: known.param("prefix").unwrap_or_default(),
        delimiter: known.param("delimiter").unwrap_or_default(),
        marker: known.param("marker").unwrap_or_default(),
        most: most.min(MOST_ITEMS),
        url_encoded,
    })
}

/// Folds keys (sorted by their bytes, all with the prefix) at the delimiter and cuts a page behind the marker.
fn page<T>(asked: &Asked<'_>, keys: Vec<T>, key_of: impl Fn(&T) -> &str) -> (Vec<Item<T>>, bool) {
    let mut items: Vec<Item<T>> = Vec::new();
    for entry in keys {
        let key = key_of(&entry);
        let rest = key.get(asked.prefix.len()..).unwrap_or_default();
        let folder = match asked.delimiter {
            "" => None,
            delimiter => rest.find(delimiter).and_then(|at| key.get(..asked.prefix.len() + at + delimiter.len())),
        };
        let item = match folder {
            Some(folder)
                if folder <= asked.marker || matches!(items.last(), Some(Item::Folder(last)) if last == folder) =>
            {
                continue;
            }
            Some(folder) => Item::Folder(folder.to_owned()),
            None if key <= asked.marker => continue,
            None => Item::Key(entry),
        };
        if items.len() == asked.most {
            return (items, asked.most > 0);
        }
        items.push(item);
    }
    (items, false)
}

fn document(known: &Known<'_>, asked: &Asked<'_>, items: &[Item<Object>], is_truncated: bool) -> String {
    let shown = |text: &str| {
        if asked.url_encoded { utf8_percent_encode(text, ENCODED).to_string() } else { escape(text) }
    };
    let mut xml = String::from("<?xml version='1.0' encoding='utf-8' ?>\n<ListBucketResult>\n");
    let mut element = |name: &str, value: &str| {
        // Writing to a String cannot fail.
        let _ = writeln!(xml, "\t<{name}>{value}</{name}>");
    };
    element("Name", &escape(&known.bucket.name));
    if asked.url_encoded {
        element("EncodingType", "url");
    }
    element("Prefix", &shown(asked.prefix));
    element("Marker", &shown(asked.marker));
    element("MaxKeys", &asked.most.to_string());
    if !asked.delimiter.is_empty() {
        element("Delimiter", &shown(asked.delimiter));
    }
    element("IsTruncated", if is_truncated { "true" } else { "false" });
    if let (true, Some(last)) = (is_truncated, items.last()) {
        let last = match last {
            Item::Key(object) => &object.key,
            Item::Folder(folder) => folder,
        };
        element("NextMarker", &shown(last));
    }
    let owner = known.account.app_id.as_deref().unwrap_or(&known.account.id);
    for item in items {
        match item {
            Item::Folder(folder) => element("CommonPrefixes", &format!("<Prefix>{}</Prefix>", shown(folder))),
            Item::Key(object) => element("Contents", &contents(object, &shown(&object.key), owner)),
        }
    }
    xml.push_str("</ListBucketResult>\n");
    xml
}

fn contents(object: &Object, key: &str, owner: &str) -> String {
    format!(
        "<Key>{key}</Key><LastModified>{}</LastModified><ETag>{}</ETag><Size>{}</Size><Owner><ID>{owner}</ID><DisplayName>{owner}</DisplayName></Owner><StorageClass>{}</StorageClass>",
        list_time(object.last_modified),
        escape(&quoted(&object.etag)),
        object.size,
        escape(&object.storage_class),
    )
}

/// Whole seconds, with zeros where milliseconds could be.
fn list_time(at: Timestamp) -> String {
    at.strftime("%Y-%m-%dT%H:%M:%S.000Z").to_string()
}

#[cfg(test)]
mod tests {
    use super::{Asked, Item, page};

    fn asked(prefix: &'static str, delimiter: &'static str, marker: &'static str, most: usize) -> Asked<'static> {
        Asked { prefix, delimiter, marker, most, url_encoded: false }
    }

    fn list(asked: &Asked<'_>, keys: &[&'static str]) -> (Vec<String>, bool) {
        let (items, is_truncated) = page(asked, keys.to_vec(), |key| key);
        let names = items.into_iter().map(|item| match item {
            Item::Key(key) => key.to_owned(),
            Item::Folder(folder) => format!("[{folder}]"),
        });
        (names.collect(), is_truncated)
    }

    #[test]
    fn a_page_begins_behind_the_marker() {
        let keys = ["a", "b", "c"];
        assert_eq!(list(&asked("", "", "", 2), &keys), (vec!["a".to_owned(), "b".to_owned()], true));
        assert_eq!(list(&asked("", "", "b", 2), &keys), (vec!["c".to_owned()], false));
        assert_eq!(list(&asked("", "", "c", 2), &keys), (vec![], false));
    }

    #[test]
    fn a_page_that_holds_everything_is_not_truncated() {
        assert!(!list(&asked("", "", "", 3), &["a", "b", "c"]).1);
        assert_eq!(list(&asked("", "", "", 0), &["a", "b", "c"]), (vec![], false));
    }

    #[test]
    fn keys_fold_at_the_delimiter_and_a_folder_counts_once() {
        let keys = ["p/a", "p/x/1", "p/x/2", "p/y/1", "p/z"];
        let (names, is_truncated) = list(&asked("p/", "/", "", 3), &keys);
        assert_eq!(names, ["p/a", "[p/x/]", "[p/y/]"]);
        assert!(is_truncated);
        assert_eq!(list(&asked("p/", "/", "p/y/", 3), &keys), (vec!["p/z".to_owned()], false));
    }
}
