//! Shares: what both ports say of what the simulated clouds do.
#![allow(clippy::unwrap_used, clippy::expect_used, reason = "tests")]

use sampan_cloud::CallClass::{Caller, NotFound, UnknownOutcome};
use sampan_cloud::image::ImageOrigin;
use sampan_cloud::share::ShareCall;
use sampan_core::{Cloud, ImageId, Reason, Region};
use sampan_simulator::world::{FaultKind, NewAccount};
use sampan_tests_clouds::Clouds;

fn place(cloud: Cloud) -> (Region, ImageId) {
    let (region, image) = match cloud {
        Cloud::Tencent => ("ap-guangzhou", "img-ubuntu01"),
        Cloud::Alibaba => ("cn-hangzhou", "m-bp1sampanubuntu00001"),
    };
    (region.parse().unwrap(), image.parse().unwrap())
}

fn add(accounts: &[String]) -> ShareCall {
    ShareCall { add: accounts.to_vec(), remove: Vec::new() }
}

fn remove(accounts: &[String]) -> ShareCall {
    ShareCall { add: Vec::new(), remove: accounts.to_vec() }
}

#[tokio::test]
async fn a_share_reaches_the_other_account_and_ends() {
    let clouds = Clouds::start().await;
    for cloud in Cloud::ALL {
        let (region, image) = place(cloud);
        let (owner, receiver) = (clouds.first(cloud), clouds.second(cloud));
        let other = [clouds.account(cloud, 1).id];
        assert_eq!(owner.shares.shares(&region, &image).await.unwrap(), []);
        assert_eq!(receiver.images.describe_image(&region, &image).await.unwrap(), None);

        owner.shares.change_shares(&region, &image, &add(&other)).await.unwrap();
        let shares = owner.shares.shares(&region, &image).await.unwrap();
        assert_eq!(shares.iter().map(|share| &share.account_id).collect::<Vec<_>>(), other.iter().collect::<Vec<_>>());
        assert!(shares[0].since.is_some());
        let seen = receiver.images.describe_image(&region, &image).await.unwrap().unwrap();
        assert_eq!(seen.origin, ImageOrigin::Shared, "{cloud}");
        let held = owner.copies.delete_image(&region, &image, false).await.unwrap_err();
        assert_eq!((held.class, held.reason), (Caller, Reason::ImageStillShared), "{cloud}");

        // What is there already is done.
        owner.shares.change_shares(&region, &image, &add(&other)).await.unwrap();
        owner.shares.change_shares(&region, &image, &remove(&other)).await.unwrap();
        assert_eq!(owner.shares.shares(&region, &image).await.unwrap(), []);
    }
}

#[tokio::test]
async fn a_lost_answer_has_an_unknown_outcome_and_the_list_tells() {
    let clouds = Clouds::start().await;
    for cloud in Cloud::ALL {
        let (region, image) = place(cloud);
        let shares = clouds.first(cloud).shares;
        clouds.spoil("ModifyImageSharePermission", FaultKind::AnswerLost);
        let other = [clouds.account(cloud, 1).id];
        let error = shares.change_shares(&region, &image, &add(&other)).await.unwrap_err();
        assert_eq!((error.class, error.attempts), (UnknownOutcome, 1));
        assert_eq!(shares.shares(&region, &image).await.unwrap().len(), 1);
    }
}

#[tokio::test]
async fn refusals_say_what_is_wrong_with_whom() {
    let clouds = Clouds::start().await;
    for cloud in Cloud::ALL {
        let (region, image) = place(cloud);
        let shares = clouds.first(cloud).shares;
        let refused = async |account: &str| {
            let error = shares.change_shares(&region, &image, &add(&[account.to_owned()])).await.unwrap_err();
            (error.class, error.reason)
        };
        let own = clouds.account(cloud, 0);
        assert_eq!(refused(&own.id).await, (Caller, Reason::ShareWithOwnAccount), "{cloud}");
        assert_eq!(refused("9999999999999999").await, (NotFound, Reason::ShareAccountNotFound), "{cloud}");
        if let Some(user) = own.sub_accounts.first() {
            assert_eq!(refused(user).await, (Caller, Reason::ShareAccountNotRoot), "{cloud}");
        }
        let foreign = clouds.second(cloud).shares.shares(&region, &image).await.unwrap_err();
        assert!(matches!(foreign.reason, Reason::ImageNotFound | Reason::ImageSharedToYou), "{foreign}");
    }
}

/// Adds `count` accounts and returns their numbers.
fn crowd(clouds: &Clouds, cloud: Cloud, count: u64) -> Vec<String> {
    let account = |index: u64| {
        let id = (3_000_000_000_000_000 + index).to_string();
        let new = NewAccount {
            cloud,
            id: id.clone(),
            app_id: (cloud == Cloud::Tencent).then(|| (1_300_000_000 + index).to_string()),
            secret_id: format!("key{index}"),
            secret_key: "secret".to_owned(),
            token: None,
            export_roles: None,
            kms_keys: None,
            resource_groups: None,
            sub_accounts: Vec::new(),
            limits: None,
        };
        clouds.world().add_account(new).unwrap();
        id
    };
    (0..count).map(account).collect()
}

#[tokio::test]
async fn as_many_accounts_as_the_cloud_permits_are_added_by_its_largest_calls_and_listed() {
    let clouds = Clouds::start().await;
    for cloud in Cloud::ALL {
        let (region, image) = place(cloud);
        let shares = clouds.first(cloud).shares;
        let accounts = crowd(&clouds, cloud, 51);
        let (fitting, beyond) = accounts.split_at(50);
        for part in fitting.chunks(shares.share_traits().accounts_per_call.unwrap_or(50)) {
            shares.change_shares(&region, &image, &add(part)).await.unwrap();
        }
        let listed = shares.shares(&region, &image).await.unwrap();
        assert_eq!(listed.into_iter().map(|share| share.account_id).collect::<Vec<_>>(), fitting, "{cloud}");
        let error = shares.change_shares(&region, &image, &add(beyond)).await.unwrap_err();
        assert_eq!((error.class, error.reason), (Caller, Reason::ShareQuotaSpent), "{cloud}");
    }
}
