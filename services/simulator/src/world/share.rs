//! Decides with whom an image may be shared, and does it at once.

use jiff::Timestamp;
use sampan_core::Cloud;

use super::account::{Person, is_neighbour, is_of_other_site};
use super::image::{Image, ImageState, Origin};
use super::image_refusal::ImageRefusal;
use super::state::{Share, State};

/// A change of an image's receivers, after the vendor module has read and checked its own wire format.
#[derive(Debug, Clone, Default)]
pub struct ShareRequest {
    /// The caller's account number.
    pub account: String,
    /// Region of the image.
    pub region: String,
    /// The image.
    pub image_id: String,
    /// Accounts that shall have it.
    pub add: Vec<String>,
    /// Accounts that shall lose it; those that do not have it are passed over.
    pub remove: Vec<String>,
    /// True to check only.
    pub dry_run: bool,
}

impl State {
    /// Changes all receivers, or none. One call is one operation.
    pub(super) fn share(&mut self, cloud: Cloud, request: &ShareRequest, now: Timestamp) -> Result<(), ImageRefusal> {
        let image = self.shareable(cloud, request)?;
        for receiver in &request.add {
            self.check_receiver(cloud, request, receiver, &image)?;
        }
        if cloud == Cloud::Tencent
            && let Some(account) = request.remove.iter().find(|id| self.person(cloud, id) == Person::Nobody)
        {
            return Err(ImageRefusal::AccountUnknown { account: account.clone() });
        }
        self.check_room(cloud, request, &image)?;
        self.check_day(cloud, &request.account, &request.region, now)?;
        if request.dry_run {
            return Ok(());
        }
        self.spend(cloud, &request.account, &request.region, 1, now);
        for receiver in &request.add {
            if !self.shares.iter().any(|share| share.is_of(&image) && share.receiver == *receiver) {
                self.shares.push(Share {
                    cloud,
                    account: image.account.clone(),
                    region: image.region.clone(),
                    image: image.id.clone(),
                    receiver: receiver.clone(),
                    shared_at: now,
                });
            }
        }
        self.shares.retain(|share| !(share.is_of(&image) && request.remove.contains(&share.receiver)));
        Ok(())
    }

    /// Returns the receivers of an image, oldest first.
    pub(super) fn receivers(
        &self,
        cloud: Cloud,
        account: &str,
        region: &str,
        id: &str,
    ) -> Result<Vec<Share>, ImageRefusal> {
        let image = self.owned(cloud, account, region, id)?;
        Ok(self.shares.iter().filter(|share| share.is_of(&image)).cloned().collect())
    }

    /// Finds an image that the account owns.
    pub(super) fn owned(&self, cloud: Cloud, account: &str, region: &str, id: &str) -> Result<Image, ImageRefusal> {
        let image = || id.to_owned();
        let found = self.visible_image(cloud, account, region, id);
        let found = found.ok_or_else(|| ImageRefusal::ImageNotFound { image: image() })?;
        match found.origin {
            Origin::Custom | Origin::Marketplace => Ok(found),
            Origin::Shared => Err(ImageRefusal::NotOwner { image: image() }),
            Origin::Public => Err(ImageRefusal::Origin { image: image(), origin: found.origin }),
        }
    }

    fn shareable(&self, cloud: Cloud, request: &ShareRequest) -> Result<Image, ImageRefusal> {
        let image = self.owned(cloud, &request.account, &request.region, &request.image_id)?;
        let id = || image.id.clone();
        match image.state {
            ImageState::Ready => {}
            ImageState::Deprecated => return Err(ImageRefusal::Deprecated { image: id() }),
            _ => return Err(ImageRefusal::NotReady { image: id() }),
        }
        if cloud == Cloud::Tencent && image.own_licence {
            return Err(ImageRefusal::OwnLicence { image: id() });
        }
        let limits = self.limits(cloud, &request.account);
        if !limits.data_disk_images && image.data_disks().next().is_some() {
            return Err(ImageRefusal::DataDisks { image: id() });
        }
        // To take a permission back, none of this matters.
        if !image.encrypted || request.add.is_empty() {
            return Ok(image);
        }
        if cloud == Cloud::Tencent {
            return Err(ImageRefusal::Encrypted { image: id() });
        }
        let Some(key) = image.kms_key.clone() else { return Err(ImageRefusal::ServiceKey { image: id() }) };
        if image.disks.len() > 1 {
            return Err(ImageRefusal::SeveralEncrypted { image: id() });
        }
        if !limits.encrypted_shares {
            return Err(ImageRefusal::ShareRoleMissing);
        }
        self.check_key(cloud, &request.account, Some(&key))?;
        Ok(image)
    }

    fn check_receiver(
        &self,
        cloud: Cloud,
        request: &ShareRequest,
        receiver: &str,
        image: &Image,
    ) -> Result<(), ImageRefusal> {
        let account = || receiver.to_owned();
        if receiver == request.account {
            return Err(ImageRefusal::AccountIsSelf { account: account() });
        }
        match self.person(cloud, receiver) {
            Person::Nobody => return Err(ImageRefusal::AccountUnknown { account: account() }),
            Person::Sub => return Err(ImageRefusal::AccountIsSub { account: account() }),
            Person::OtherSite => return Err(ImageRefusal::AccountOfOtherSite { account: account() }),
            Person::Root => {}
        }
        let has_it = self.shares.iter().any(|share| share.is_of(image) && share.receiver == receiver);
        // Alibaba takes a repetition without a word.
        if cloud == Cloud::Tencent && has_it {
            return Err(ImageRefusal::AccountHasIt { account: account() });
        }
        Ok(())
    }

    fn check_room(&self, cloud: Cloud, request: &ShareRequest, image: &Image) -> Result<(), ImageRefusal> {
        let limits = self.limits(cloud, &request.account);
        let most = |limit: u32| usize::try_from(limit).unwrap_or(usize::MAX);
        let mut receivers: Vec<&str> =
            self.shares.iter().filter(|share| share.is_of(image)).map(|share| share.receiver.as_str()).collect();
        let was_shared = !receivers.is_empty();
        receivers.extend(request.add.iter().map(String::as_str));
        receivers.sort_unstable();
        receivers.dedup();
        receivers.retain(|receiver| !request.remove.iter().any(|gone| gone == receiver));
        if receivers.len() > most(limits.share_accounts) && !request.add.is_empty() {
            return Err(ImageRefusal::ShareQuota { limit: limits.share_accounts });
        }
        let Some(limit) = limits.shared_images.filter(|_| !was_shared && !receivers.is_empty()) else {
            return Ok(());
        };
        let own = self.own_images(cloud, &request.account, &request.region);
        let shared = own.filter(|own| self.shares.iter().any(|share| share.is_of(own))).count();
        if shared >= most(limit) { Err(ImageRefusal::SharedImagesQuota { limit }) } else { Ok(()) }
    }

    fn person(&self, cloud: Cloud, id: &str) -> Person {
        let mut accounts = self.accounts.iter().filter(|account| account.cloud == cloud);
        if is_neighbour(cloud, id) || accounts.clone().any(|account| account.id == id) {
            Person::Root
        } else if accounts.any(|account| account.sub_accounts.iter().any(|sub| sub == id)) {
            Person::Sub
        } else if is_of_other_site(cloud, id) {
            Person::OtherSite
        } else {
            Person::Nobody
        }
    }
}
