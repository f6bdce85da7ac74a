//! Decides what may be added to the clouds from outside: accounts, images, buckets, objects.

use bytes::Bytes;
use jiff::Timestamp;
use sampan_core::{Cloud, DiskRole};

use super::account::{Account, KmsKey};
use super::bucket::{Bucket, Object};
use super::ids::mix;
use super::image::{Disk, Image};
use super::limits::{Limits, is_region};
use super::new::{EditRefusal, NewAccount, NewBucket, NewDisk, NewImage};
use super::snapshot::Snapshot;
use super::state::State;
use super::{World, prepare};
use crate::content::{Content, generated_disk};

impl World {
    /// Adds an account.
    ///
    /// # Errors
    /// [`EditRefusal::Exists`] for its number or its key.
    pub fn add_account(&self, new: NewAccount) -> Result<Account, EditRefusal> {
        self.lock().add_account(new)
    }

    /// Replaces an account's limits.
    ///
    /// # Errors
    /// [`EditRefusal::UnknownAccount`].
    pub fn set_limits(&self, cloud: Cloud, account: &str, limits: Limits) -> Result<(), EditRefusal> {
        let mut state = self.lock();
        let found = state.accounts.iter_mut().find(|known| known.cloud == cloud && known.id == account);
        let found = found.ok_or_else(|| EditRefusal::UnknownAccount { cloud, account: account.to_owned() })?;
        found.limits = limits;
        Ok(())
    }

    /// Adds an image. Reads the files of its disks once, which blocks.
    ///
    /// # Errors
    /// Any [`EditRefusal`] but `UnknownBucket`; nothing is added then.
    pub fn add_image(&self, new: NewImage) -> Result<Image, EditRefusal> {
        // The files are read before the lock is taken: they may be large.
        let contents = new.disks.iter().map(NewDisk::content).collect::<Result<Vec<_>, _>>()?;
        let now = self.world_now();
        self.lock().add_image(new, contents, now)
    }

    /// Adds a bucket.
    ///
    /// # Errors
    /// Any [`EditRefusal`]; nothing is added then.
    pub fn add_bucket(&self, new: NewBucket) -> Result<Bucket, EditRefusal> {
        let now = self.world_now();
        self.lock().add_bucket(new, now)
    }

    /// Puts an object into a bucket, over one of the same key.
    ///
    /// # Errors
    /// [`EditRefusal::UnknownBucket`].
    pub fn put_object(&self, cloud: Cloud, bucket: &str, key: &str, bytes: Bytes) -> Result<Object, EditRefusal> {
        let prepared = prepare::sum(Content::from_bytes(bytes))
            .map_err(|error| EditRefusal::Invalid { field: "object", rule: error.to_string() })?;
        let (mut state, now) = self.settled();
        let known = state.buckets.iter().find(|known| known.cloud == cloud && known.name == bucket);
        let Some(storage_class) = known.map(|known| known.storage_class.clone()) else {
            return Err(EditRefusal::UnknownBucket { cloud, bucket: bucket.to_owned() });
        };
        let object = Object {
            cloud,
            bucket: bucket.to_owned(),
            key: key.to_owned(),
            size: prepared.content.len(),
            etag: prepared.etag.chars().take(32).collect(),
            crc64: prepared.crc64,
            last_modified: now,
            storage_class,
            multipart: false,
            content: prepared.content,
        };
        state.objects.insert((cloud, bucket.to_owned(), key.to_owned()), object.clone());
        Ok(object)
    }

    /// Removes an object. Returns false when there was none.
    pub fn delete_object(&self, cloud: Cloud, bucket: &str, key: &str) -> bool {
        self.settled().0.objects.remove(&(cloud, bucket.to_owned(), key.to_owned())).is_some()
    }
}

impl NewDisk {
    fn content(&self) -> Result<Option<Content>, EditRefusal> {
        let Some(path) = &self.file else { return Ok(None) };
        let read = crate::content::from_file(path);
        read.map(Some)
            .map_err(|error| EditRefusal::Invalid { field: "file", rule: format!("{}: {error}", path.display()) })
    }
}

impl State {
    pub(super) fn add_account(&mut self, new: NewAccount) -> Result<Account, EditRefusal> {
        let taken = |name: &str| EditRefusal::Exists { what: "account", name: name.to_owned() };
        check_text("account", &new.id)?;
        check_text("secret_id", &new.secret_id)?;
        check_text("secret_key", &new.secret_key)?;
        if self.account(new.cloud, &new.id).is_some() {
            return Err(taken(&new.id));
        }
        if self.accounts.iter().any(|known| known.cloud == new.cloud && known.secret_id == new.secret_id) {
            return Err(taken(&new.secret_id));
        }
        let default_role = match new.cloud {
            Cloud::Tencent => "CVM_QcsRole",
            Cloud::Alibaba => "AliyunECSImageExportDefaultRole",
        };
        let account = Account {
            cloud: new.cloud,
            id: new.id,
            app_id: new.app_id,
            secret_id: new.secret_id,
            secret_key: new.secret_key,
            token: new.token,
            export_roles: new.export_roles.unwrap_or_else(|| vec![default_role.to_owned()]),
            kms_keys: new.kms_keys.unwrap_or_else(default_keys),
            resource_groups: new.resource_groups.unwrap_or_else(|| vec!["rg-acfmsampandemo01".to_owned()]),
            sub_accounts: new.sub_accounts,
            limits: new.limits.unwrap_or_else(|| Limits::of(new.cloud)),
        };
        self.accounts.push(account.clone());
        Ok(account)
    }

    pub(super) fn add_image(
        &mut self,
        new: NewImage,
        contents: Vec<Option<Content>>,
        now: Timestamp,
    ) -> Result<Image, EditRefusal> {
        self.check_place(new.cloud, &new.account, &new.region)?;
        check_text("name", &new.name)?;
        if new.disks.iter().filter(|disk| disk.role == DiskRole::System).count() != 1 {
            return Err(EditRefusal::Invalid { field: "disks", rule: "exactly one has the role system".to_owned() });
        }
        let id = new.id.unwrap_or_else(|| self.ids.image(new.cloud, &new.region));
        if self.images.iter().any(|known| known.cloud == new.cloud && known.region == new.region && known.id == id) {
            return Err(EditRefusal::Exists { what: "image", name: id });
        }
        let mut disks: Vec<Disk> = Vec::with_capacity(new.disks.len());
        for (disk, content) in new.disks.into_iter().zip(contents) {
            let device = free_device(&disk, &disks)?;
            let snapshot_id = self.ids.snapshot(new.cloud, &new.region);
            let size_gib = disk_size(&disk, content.as_ref())?;
            let content = content.unwrap_or_else(|| generated_disk(seed_of(&snapshot_id), size_gib << 30));
            disks.push(Disk { role: disk.role, device, size_gib, snapshot_id, content });
        }
        disks.sort_by(|one, two| (one.role, &one.device).cmp(&(two.role, &two.device)));
        let image = Image {
            cloud: new.cloud,
            account: new.account,
            owner: new.owner,
            region: new.region,
            id,
            name: new.name,
            description: new.description,
            os_name: new.os_name.unwrap_or_else(|| new.platform.clone()),
            platform: new.platform,
            origin: new.origin,
            encrypted: new.encrypted,
            kms_key: None,
            state: new.state,
            progress: if new.state.is_unfinished() { 0 } else { 100 },
            hidden_until: None,
            boot_mode: "BIOS".to_owned(),
            own_licence: false,
            copied_from: None,
            in_use: false,
            resource_group: None,
            tags: Vec::new(),
            created_at: now,
            disks,
        };
        self.images.push(image.clone());
        if image.origin.is_own() {
            self.snapshots.extend(Snapshot::of_image(&image));
        }
        Ok(image)
    }

    pub(super) fn add_bucket(&mut self, new: NewBucket, now: Timestamp) -> Result<Bucket, EditRefusal> {
        self.check_place(new.cloud, &new.account, &new.region)?;
        check_bucket_name(&new.name)?;
        let app_id = self.account(new.cloud, &new.account).and_then(|account| account.app_id.clone());
        if let Some(app_id) = app_id.filter(|app_id| !new.name.ends_with(&format!("-{app_id}"))) {
            return Err(EditRefusal::Invalid { field: "name", rule: format!("ends in -{app_id} on tencent") });
        }
        if self.buckets.iter().any(|known| known.cloud == new.cloud && known.name == new.name) {
            return Err(EditRefusal::Exists { what: "bucket", name: new.name });
        }
        let standard = match new.cloud {
            Cloud::Tencent => "STANDARD",
            Cloud::Alibaba => "Standard",
        };
        let bucket = Bucket {
            cloud: new.cloud,
            account: new.account,
            region: new.region,
            name: new.name,
            writable: new.writable,
            encrypted: new.encrypted,
            storage_class: new.storage_class.unwrap_or_else(|| standard.to_owned()),
            created_at: now,
        };
        self.buckets.push(bucket.clone());
        Ok(bucket)
    }

    /// Checks that the account and the region exist.
    pub(super) fn check_place(&self, cloud: Cloud, account: &str, region: &str) -> Result<(), EditRefusal> {
        if self.account(cloud, account).is_none() {
            return Err(EditRefusal::UnknownAccount { cloud, account: account.to_owned() });
        }
        if !is_region(cloud, region) {
            return Err(EditRefusal::UnknownRegion { cloud, region: region.to_owned() });
        }
        Ok(())
    }
}

/// Largest disk that can be added, in GiB: the largest cloud disk there is.
const MAX_DISK_GIB: u64 = 65_536;

fn disk_size(disk: &NewDisk, content: Option<&Content>) -> Result<u64, EditRefusal> {
    let of_file = content.map(|content| content.len().div_ceil(1 << 30).max(1));
    let rule = match (disk.size_gib, of_file) {
        (None, None) => "is needed when the disk has no file".to_owned(),
        (Some(size), Some(least)) if size < least => format!("is at least {least}, because of the file"),
        (Some(size), _) if size == 0 || size > MAX_DISK_GIB => format!("is 1 to {MAX_DISK_GIB}"),
        (Some(size), _) | (None, Some(size)) => return Ok(size),
    };
    Err(EditRefusal::Invalid { field: "size_gib", rule })
}

fn free_device(disk: &NewDisk, taken: &[Disk]) -> Result<String, EditRefusal> {
    let is_free = |path: &String| !taken.iter().any(|known| known.device == *path);
    let invalid = |rule: &str| EditRefusal::Invalid { field: "device", rule: rule.to_owned() };
    if let Some(device) = &disk.device {
        let path = format!("/dev/{}", device.strip_prefix("/dev/").unwrap_or(device));
        let letters = path.strip_prefix("/dev/xvd").unwrap_or_default();
        if letters.len() != 1 || !letters.bytes().all(|letter| letter.is_ascii_lowercase()) {
            return Err(invalid("is one of xvda to xvdz"));
        }
        return if is_free(&path) { Ok(path) } else { Err(invalid("is taken by another disk")) };
    }
    let first = if disk.role == DiskRole::System { 'a' } else { 'b' };
    let mut paths = (first..='z').map(|letter| format!("/dev/xvd{letter}"));
    paths.find(is_free).ok_or_else(|| invalid("none is left between xvda and xvdz"))
}

/// Keys of an account for which none are named: one that works and one that is switched off.
fn default_keys() -> Vec<KmsKey> {
    vec![
        KmsKey { id: "c0ffee00-0000-4000-8000-000000000001".to_owned(), enabled: true },
        KmsKey { id: "c0ffee00-0000-4000-8000-000000000002".to_owned(), enabled: false },
    ]
}

fn check_text(field: &'static str, text: &str) -> Result<(), EditRefusal> {
    if text.is_empty() || text.len() > 128 || text.chars().any(char::is_control) {
        return Err(EditRefusal::Invalid { field, rule: "is 1 to 128 bytes without control characters".to_owned() });
    }
    Ok(())
}

fn check_bucket_name(name: &str) -> Result<(), EditRefusal> {
    let is_good = (3..=63).contains(&name.len())
        && name.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'-')
        && !name.starts_with('-')
        && !name.ends_with('-');
    if is_good {
        return Ok(());
    }
    Err(EditRefusal::Invalid {
        field: "name",
        rule: "is 3 to 63 lower-case letters, digits and hyphens, no hyphen at an end".to_owned(),
    })
}

fn seed_of(text: &str) -> u64 {
    text.bytes().fold(0, |seed, byte| mix(seed ^ u64::from(byte)))
}
