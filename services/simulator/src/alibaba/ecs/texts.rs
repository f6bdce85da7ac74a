//! Decides which names, descriptions, tags and client tokens ECS takes.

use super::parameters::Parameters;
use super::refusal::Refusal;
use crate::world::{ClientToken, Tag};

/// Most tags of one call.
const MOST_TAGS: usize = 20;
/// Longest key or value of a tag, in characters.
const LONGEST_TAG: usize = 128;
/// Longest client token, in bytes.
const LONGEST_TOKEN: usize = 64;
/// Parameters that say who calls and how, not what for.
const ENVELOPE: [&str; 16] = [
    "AccessKeyId",
    "Action",
    "ClientToken",
    "Format",
    "OwnerAccount",
    "OwnerId",
    "ResourceOwnerAccount",
    "ResourceOwnerId",
    "SecurityToken",
    "Signature",
    "SignatureMethod",
    "SignatureNonce",
    "SignatureType",
    "SignatureVersion",
    "Timestamp",
    "Version",
];

/// Reads the name of an image: 2 to 128 characters, a letter first, then letters, digits and `.:_-`.
///
/// # Errors
/// `InvalidImageName.Malformed`.
pub(super) fn image_name(parameters: &Parameters, field: &str) -> Result<Option<String>, Refusal> {
    let Some(name) = parameters.optional(field) else { return Ok(None) };
    let is_reserved = ["aliyun", "acs:"].iter().any(|start| name.starts_with(start));
    if is_reserved || !is_name(name) {
        return Err(Refusal::bad_request("InvalidImageName.Malformed", "The specified Image name is wrongly formed."));
    }
    Ok(Some(name.to_owned()))
}

/// Returns whether a text is a name by the rules that images and snapshots share.
pub(super) fn is_name(name: &str) -> bool {
    (2..=128).contains(&name.chars().count())
        && name.chars().next().is_some_and(char::is_alphabetic)
        && name.chars().all(|letter| letter.is_alphanumeric() || ".:_-".contains(letter))
        && !is_url(name)
}

/// Reads a description: 2 to 256 characters that are no URL.
///
/// # Errors
/// `InvalidDescription.Malformed`.
pub(super) fn description(parameters: &Parameters, field: &str) -> Result<Option<String>, Refusal> {
    match parameters.optional(field) {
        Some(text) if !is_description(text) => {
            Err(Refusal::bad_request("InvalidDescription.Malformed", "The specified description is wrongly formed."))
        }
        text => Ok(text.map(str::to_owned)),
    }
}

/// Returns whether a text is a description.
pub(super) fn is_description(text: &str) -> bool {
    (2..=256).contains(&text.chars().count()) && !is_url(text)
}

/// Reads `Tag.N`: 20 at most, each key once, neither reserved nor a URL.
///
/// # Errors
/// `InvalidTagCount`, `InvalidTagKey.Malformed`, `InvalidTagValue.Malformed` or `Duplicate.TagKey`.
pub(super) fn tags(parameters: &Parameters) -> Result<Vec<Tag>, Refusal> {
    let pairs = parameters.numbered_pairs("Tag");
    if pairs.len() > MOST_TAGS {
        return Err(Refusal::bad_request("InvalidTagCount", "The specified tags are beyond the permitted range."));
    }
    let mut tags: Vec<Tag> = Vec::with_capacity(pairs.len());
    for (key, value) in pairs {
        let is_reserved = ["aliyun", "acs:"].iter().any(|start| key.starts_with(start));
        if key.chars().count() > LONGEST_TAG || is_reserved || is_url(key) {
            return Err(Refusal::bad_request("InvalidTagKey.Malformed", "The specified Tag.n.Key is not valid."));
        }
        if value.chars().count() > LONGEST_TAG || is_url(value) {
            return Err(Refusal::bad_request("InvalidTagValue.Malformed", "The specified Tag.n.Value is not valid."));
        }
        if tags.iter().any(|known| known.key == key) {
            return Err(Refusal::bad_request("Duplicate.TagKey", "The Tag.N.Key contain duplicate key."));
        }
        tags.push(Tag { key: key.to_owned(), value: value.to_owned() });
    }
    Ok(tags)
}

/// Reads `ClientToken` and what else the call asks for.
///
/// # Errors
/// `InvalidClientToken.Malformed` for more than 64 bytes, or others than ASCII.
pub(super) fn client_token(parameters: &Parameters) -> Result<Option<ClientToken>, Refusal> {
    let Some(text) = parameters.optional("ClientToken") else { return Ok(None) };
    if text.len() > LONGEST_TOKEN || !text.is_ascii() {
        return Err(Refusal::bad_request("InvalidClientToken.Malformed", "The specified ClientToken is not valid."));
    }
    let mut rest: Vec<String> = parameters
        .pairs()
        .iter()
        .filter(|(name, value)| !ENVELOPE.contains(&name.as_str()) && !value.is_empty())
        .map(|(name, value)| format!("{name}={}", plain(value)))
        .collect();
    rest.sort();
    Ok(Some(ClientToken { text: text.to_owned(), fingerprint: rest.join("\n") }))
}

/// Booleans come in any case, and mean the same.
fn plain(value: &str) -> String {
    let lower = value.to_ascii_lowercase();
    if matches!(lower.as_str(), "true" | "false") { lower } else { value.to_owned() }
}

fn is_url(text: &str) -> bool {
    ["http://", "https://"].iter().any(|start| text.starts_with(start))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::alibaba::percent::decode_query;

    #[test]
    fn names_begin_with_a_letter_and_are_no_urls() {
        for name in ["ab", "镜像", "web-1.2_3:4", &"a".repeat(128)] {
            assert!(is_name(name), "{name}");
        }
        for name in ["a", "1a", "-a", "a b", "a/b", "http://a", "", &"a".repeat(129)] {
            assert!(!is_name(name), "{name}");
        }
    }

    #[test]
    fn the_fingerprint_of_a_call_leaves_out_who_calls_and_how() {
        let read = |query: &str| client_token(&Parameters::new(decode_query(query))).unwrap().unwrap().fingerprint;
        let first = read("ClientToken=t&ImageId=m-1&Encrypted=True&SignatureNonce=1&Timestamp=x");
        assert_eq!(first, read("SignatureNonce=2&Encrypted=true&ImageId=m-1&ClientToken=t"));
        assert_ne!(first, read("ClientToken=t&ImageId=m-2&Encrypted=true"));
    }
}
