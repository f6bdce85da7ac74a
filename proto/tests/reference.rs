//! The reference of the API is what the protos say, and nothing else.
#![allow(clippy::expect_used, reason = "tests")]

#[path = "reference/comments.rs"]
mod comments;
#[path = "reference/page.rs"]
mod page;

use std::path::PathBuf;

use prost::Message as _;
use prost_types::FileDescriptorSet;

fn files() -> FileDescriptorSet {
    FileDescriptorSet::decode(sampan_proto::FILE_DESCRIPTOR_SET).expect("the descriptors are readable")
}

#[test]
fn the_reference_is_up_to_date() {
    let path = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("README.md");
    let page = page::page(&files());
    if std::env::var_os("UPDATE_REFERENCE").is_some() {
        std::fs::write(&path, &page).expect("the page is writable");
    }
    let kept = std::fs::read_to_string(&path).unwrap_or_default();
    assert!(
        kept == page,
        "proto/README.md is stale; run UPDATE_REFERENCE=1 cargo test -p sampan-proto --test reference"
    );
}

#[test]
fn every_link_of_the_reference_leads_somewhere() {
    let page = page::page(&files());
    let anchors: Vec<_> = page.split("<a id=\"").skip(1).filter_map(|rest| rest.split('"').next()).collect();
    let links: Vec<_> = page.split("](#").skip(1).filter_map(|rest| rest.split(')').next()).collect();
    assert!(links.len() > 100, "only {} links", links.len());
    for link in links {
        assert!(anchors.contains(&link), "no anchor for {link}");
    }
}
