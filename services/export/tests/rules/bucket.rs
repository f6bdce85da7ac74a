//! Rules about the bucket.

use sampan_cloud::bucket::Bucket;
use sampan_core::{Cloud, Violation};
use sampan_export_service::rules::bucket::check;

use crate::{rules, spec, told};

fn judge(cloud: Cloud, region: Option<&str>, encrypted: Option<bool>) -> Vec<Violation> {
    let region = region.map(str::to_owned);
    told(check(&spec(cloud), Some(&Bucket { region, storage_class: None, encrypted, server_time: None })))
}

#[test]
fn a_bucket_in_the_region_of_the_image_is_good_and_so_is_one_that_tells_no_region() {
    assert!(judge(Cloud::Tencent, Some("ap-guangzhou"), Some(false)).is_empty());
    assert!(judge(Cloud::Alibaba, Some("cn-hangzhou"), None).is_empty());
    assert!(judge(Cloud::Alibaba, None, None).is_empty());
}

#[test]
fn a_bucket_in_another_region_is_refused_with_both_regions() {
    for cloud in Cloud::ALL {
        let found = judge(cloud, Some("eu-central-1"), None);
        assert_eq!(rules(&found), ["BUCKET_ELSEWHERE"]);
        assert_eq!(
            (found[0].limit.as_str(), found[0].observed.as_str()),
            (spec(cloud).region.as_str(), "eu-central-1")
        );
        assert!(found[0].fix.contains(spec(cloud).region.as_str()) && !found[0].source.is_empty());
    }
}

#[test]
fn a_bucket_that_does_not_exist_is_refused() {
    for cloud in Cloud::ALL {
        let found = told(check(&spec(cloud), None));
        assert_eq!(rules(&found), ["BUCKET_NOT_FOUND"]);
        assert_eq!(found[0].field, "spec.bucket");
    }
}

#[test]
fn alibaba_refuses_a_bucket_that_encrypts() {
    let found = judge(Cloud::Alibaba, Some("cn-hangzhou"), Some(true));
    assert_eq!((rules(&found), found[0].source_date.as_str()), (vec!["BUCKET_ENCRYPTED"], "2025"));
    assert!(judge(Cloud::Tencent, Some("ap-guangzhou"), Some(true)).is_empty());
}
