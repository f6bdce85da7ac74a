//! Decides what the clouds hold at the start and after a reset.
//!
//! Two accounts a cloud; the first owns everything but what is said to be another's. Names of images (ids in
//! `img-WORD` and `m-bp1sampanWORD…` shape) say what is special about them:
//!
//! | word | Tencent, ap-guangzhou | Alibaba, cn-hangzhou |
//! |---|---|---|
//! | ubuntu | good: one system disk of 50 GiB | good: one system disk of 40 GiB |
//! | debian | good: system disk and two data disks | the same |
//! | windows, market, crypted, redhat | refused: Windows, marketplace, encrypted, Red Hat (Tencent alone) | the same |
//! | biggest | refused: system disk of 600 GiB | refused: data disk of 600 GiB |
//! | sixdata | refused: six data disks | the same |
//! | shared, public | refused: shared by the second account, public | the same |
//! | creatng | refused: not ready yet | the same |
//! | second | good, of the second account | the same |
//! | hugeone | – | refused as a copy: 2140 GiB in two disks |
//!
//! Buckets: `sampan-guangzhou-1250000000`, `-shanghai-`, `-readonly-` (not writable) and `sampan-other-1250000001`
//! (second account) on Tencent; `sampan-hangzhou`, `sampan-shanghai`, `sampan-singapore`, `sampan-readonly`,
//! `sampan-encrypted` and `sampan-other` on Alibaba. One good image each lies in ap-shanghai and in ap-southeast-1,
//! the region of Alibaba that has other formats.
//!
//! Beside these accounts, those whose numbers end in 100 to 199 exist without keys, so that an image can be shared with
//! many. 200000000001 and 200000000002 are users below Tencent's accounts, and numbers of 16 digits that begin with 5
//! belong to Alibaba's other site: nothing can be shared with either. Every account has the keys
//! `c0ffee00-0000-4000-8000-000000000001` (good) and `…2` (switched off), and on Alibaba the resource group
//! `rg-acfmsampandemo01`.

use sampan_core::{Cloud, DiskRole};

use super::image::{ImageState, Origin};
use super::new::{NewAccount, NewBucket, NewDisk, NewImage};
use super::state::State;

/// Account number (uin) of Tencent's first account; the second ends in 2.
const TENCENT_FIRST: &str = "100000000001";
const TENCENT_SECOND: &str = "100000000002";
/// Account number (UID) of Alibaba's first account; the second ends in 2.
const ALIBABA_FIRST: &str = "1000000000000001";
const ALIBABA_SECOND: &str = "1000000000000002";

/// Plants the seeded accounts, images and buckets.
pub(super) fn plant(state: &mut State) {
    if let Err(refusal) = try_plant(state) {
        // Only a mistake in this file gets here; the tests below would show it.
        tracing::error!(%refusal, "the seed is not complete");
    }
}

fn try_plant(state: &mut State) -> Result<(), super::EditRefusal> {
    for account in accounts() {
        state.add_account(account)?;
    }
    let now = state.planted_at;
    for image in images() {
        let contents = vec![None; image.disks.len()];
        state.add_image(image, contents, now)?;
    }
    for bucket in buckets() {
        state.add_bucket(bucket, now)?;
    }
    Ok(())
}

fn accounts() -> [NewAccount; 4] {
    let account = |cloud, id: &str, app_id: Option<&str>, secret_id: &str, secret_key: &str| NewAccount {
        cloud,
        id: id.to_owned(),
        app_id: app_id.map(str::to_owned),
        secret_id: secret_id.to_owned(),
        secret_key: secret_key.to_owned(),
        token: None,
        export_roles: None,
        kms_keys: None,
        resource_groups: None,
        // 200000000001 is a user of 100000000001, and so on.
        sub_accounts: id
            .strip_prefix('1')
            .filter(|_| cloud == Cloud::Tencent)
            .map(|rest| format!("2{rest}"))
            .into_iter()
            .collect(),
        limits: None,
    };
    [
        account(
            Cloud::Tencent,
            TENCENT_FIRST,
            Some("1250000000"),
            "AKIDSAMPANDEMO0000000000000000000001",
            "SampanDemoSecretKeyTencent000001",
        ),
        account(
            Cloud::Tencent,
            TENCENT_SECOND,
            Some("1250000001"),
            "AKIDSAMPANDEMO0000000000000000000002",
            "SampanDemoSecretKeyTencent000002",
        ),
        account(Cloud::Alibaba, ALIBABA_FIRST, None, "LTAI5tSampanDemo00000001", "SampanDemoSecretAlibaba0000001"),
        account(Cloud::Alibaba, ALIBABA_SECOND, None, "LTAI5tSampanDemo00000002", "SampanDemoSecretAlibaba0000002"),
    ]
}

/// One seeded image, for both clouds.
#[derive(Clone, Copy)]
struct Row {
    word: &'static str,
    name: &'static str,
    platform: &'static str,
    os_name: &'static str,
    origin: Origin,
    state: ImageState,
    encrypted: bool,
    system_gib: u64,
    data_gib: &'static [u64],
}

const GOOD: Row = Row {
    word: "ubuntu",
    name: "web-golden",
    platform: "Ubuntu",
    os_name: "Ubuntu Server 22.04 LTS 64bit",
    origin: Origin::Custom,
    state: ImageState::Ready,
    encrypted: false,
    system_gib: 50,
    data_gib: &[],
};

/// Data disk that makes an image too large to be copied as a whole, in GiB.
const HUGE: &[u64] = &[2100];

fn rows(cloud: Cloud) -> Vec<Row> {
    let (windows, system_gib) = match cloud {
        Cloud::Tencent => (("Windows", "Windows Server 2022 Datacenter 64bit"), 50),
        Cloud::Alibaba => (("Windows Server 2022", "Windows Server 2022 Datacenter 64bit"), 40),
    };
    let good = Row { system_gib, ..GOOD };
    let debian = ("Debian", "Debian 12.5 64bit");
    let (big_system, big_data): (u64, &[u64]) = match cloud {
        Cloud::Tencent => (600, &[]),
        Cloud::Alibaba => (40, &[600]),
    };
    vec![
        Row { word: "debian", name: "db-golden", platform: debian.0, os_name: debian.1, data_gib: &[100, 20], ..good },
        Row { word: "windows", name: "desktop", platform: windows.0, os_name: windows.1, ..good },
        Row { word: "market", name: "from-marketplace", origin: Origin::Marketplace, ..good },
        Row { word: "crypted", name: "encrypted", encrypted: true, ..good },
        Row { word: "biggest", name: "too-large", system_gib: big_system, data_gib: big_data, ..good },
        Row { word: "sixdata", name: "too-many-disks", data_gib: &[10, 10, 10, 10, 10, 10], ..good },
        Row { word: "redhat", name: "rhel", platform: "RedHat", os_name: "Red Hat Enterprise Linux 9 64bit", ..good },
        Row { word: "shared", name: "from-the-neighbours", origin: Origin::Shared, ..good },
        Row { word: "public", name: "ubuntu-public", origin: Origin::Public, ..good },
        Row { word: "creatng", name: "being-made", state: ImageState::Creating, ..good },
        good,
    ]
}

fn images() -> Vec<NewImage> {
    let mut images = Vec::new();
    for (cloud, first, second, region) in [
        (Cloud::Tencent, TENCENT_FIRST, TENCENT_SECOND, "ap-guangzhou"),
        (Cloud::Alibaba, ALIBABA_FIRST, ALIBABA_SECOND, "cn-hangzhou"),
    ] {
        images.extend(rows(cloud).into_iter().map(|row| row.image(cloud, first, second, region)));
        images.push(Row { word: "second", name: "neighbours-own", ..GOOD }.image(cloud, second, first, region));
    }
    let huge = Row { word: "hugeone", name: "archive", system_gib: 40, data_gib: HUGE, ..GOOD };
    images.push(huge.image(Cloud::Alibaba, ALIBABA_FIRST, ALIBABA_SECOND, "cn-hangzhou"));
    let abroad = Row { word: "abroad", name: "web-golden-abroad", ..GOOD };
    let mut shanghai = abroad.image(Cloud::Tencent, TENCENT_FIRST, TENCENT_SECOND, "ap-shanghai");
    shanghai.id = Some("img-shangha1".to_owned());
    let mut singapore =
        Row { system_gib: 40, ..abroad }.image(Cloud::Alibaba, ALIBABA_FIRST, ALIBABA_SECOND, "ap-southeast-1");
    singapore.id = Some("m-t4n1sampansingapor01".to_owned());
    images.extend([shanghai, singapore]);
    images
}

impl Row {
    fn image(self, cloud: Cloud, account: &str, other: &str, region: &str) -> NewImage {
        let width = match cloud {
            Cloud::Tencent => 8 - self.word.len(),
            Cloud::Alibaba => 11 - self.word.len(),
        };
        let prefix = match cloud {
            Cloud::Tencent => "img-",
            Cloud::Alibaba => "m-bp1sampan",
        };
        let disk = |role, size_gib| NewDisk { role, device: None, size_gib: Some(size_gib), file: None };
        let system = disk(DiskRole::System, self.system_gib);
        NewImage {
            cloud,
            account: account.to_owned(),
            owner: (self.origin == Origin::Shared).then(|| other.to_owned()),
            region: region.to_owned(),
            id: Some(format!("{prefix}{}{:0width$}", self.word, 1)),
            name: self.name.to_owned(),
            description: String::new(),
            platform: self.platform.to_owned(),
            os_name: Some(self.os_name.to_owned()),
            origin: self.origin,
            encrypted: self.encrypted,
            state: self.state,
            disks: std::iter::once(system).chain(self.data_gib.iter().map(|gib| disk(DiskRole::Data, *gib))).collect(),
        }
    }
}

fn buckets() -> Vec<NewBucket> {
    let bucket = |cloud, account: &str, region: &str, name: &str| NewBucket {
        cloud,
        account: account.to_owned(),
        region: region.to_owned(),
        name: name.to_owned(),
        writable: !name.contains("readonly"),
        encrypted: name.contains("encrypted"),
        storage_class: None,
    };
    vec![
        bucket(Cloud::Tencent, TENCENT_FIRST, "ap-guangzhou", "sampan-guangzhou-1250000000"),
        bucket(Cloud::Tencent, TENCENT_FIRST, "ap-shanghai", "sampan-shanghai-1250000000"),
        bucket(Cloud::Tencent, TENCENT_FIRST, "ap-guangzhou", "sampan-readonly-1250000000"),
        bucket(Cloud::Tencent, TENCENT_SECOND, "ap-guangzhou", "sampan-other-1250000001"),
        bucket(Cloud::Alibaba, ALIBABA_FIRST, "cn-hangzhou", "sampan-hangzhou"),
        bucket(Cloud::Alibaba, ALIBABA_FIRST, "cn-shanghai", "sampan-shanghai"),
        bucket(Cloud::Alibaba, ALIBABA_FIRST, "ap-southeast-1", "sampan-singapore"),
        bucket(Cloud::Alibaba, ALIBABA_FIRST, "cn-hangzhou", "sampan-readonly"),
        bucket(Cloud::Alibaba, ALIBABA_FIRST, "cn-hangzhou", "sampan-encrypted"),
        bucket(Cloud::Alibaba, ALIBABA_SECOND, "cn-hangzhou", "sampan-other"),
    ]
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use super::*;
    use crate::world::Pace;

    #[test]
    fn the_seed_is_planted_whole_and_its_ids_have_the_vendors_shapes() {
        let now = "2026-11-21T04:00:00Z".parse().unwrap();
        let mut state = State::empty(now, Pace::default(), Arc::new(std::env::temp_dir()));
        try_plant(&mut state).unwrap();
        assert_eq!(state.accounts.len(), 4);
        assert_eq!(state.images.len(), 27);
        assert_eq!(state.buckets.len(), 10);
        for image in &state.images {
            let expected = if image.cloud == Cloud::Tencent { 12 } else { 22 };
            assert_eq!(image.id.len(), expected, "{}", image.id);
        }
        assert!(state.visible_image(Cloud::Tencent, TENCENT_FIRST, "ap-guangzhou", "img-ubuntu01").is_some());
        assert!(state.visible_image(Cloud::Alibaba, ALIBABA_FIRST, "cn-hangzhou", "m-bp1sampanubuntu00001").is_some());
    }
}
