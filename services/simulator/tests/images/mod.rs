//! Simulated clouds with a clock in hand, and the calls that copy, share, make and delete images in few words.

use std::sync::Arc;

use sampan_core::Cloud;
use sampan_core::clock::ManualClock;
use sampan_simulator::world::{CopyRequest, Fault, FaultKind, Image, ImageRefusal, Pace, Placed, ShareRequest, World};

pub(crate) const TENCENT: (&str, &str) = ("100000000001", "ap-guangzhou");
pub(crate) const ALIBABA: (&str, &str) = ("1000000000000001", "cn-hangzhou");

pub(crate) struct Clouds {
    pub(crate) world: World,
    pub(crate) clock: Arc<ManualClock>,
    _folder: tempfile::TempDir,
}

/// Clouds in which every copy takes 100 seconds.
pub(crate) fn clouds() -> Clouds {
    let clock = Arc::new(ManualClock::new("2026-11-21T04:00:00Z".parse().unwrap()));
    let folder = tempfile::tempdir().unwrap();
    let pace = Pace {
        floor: std::time::Duration::from_secs(100),
        per_used_gib: std::time::Duration::ZERO,
        per_further_disk: std::time::Duration::ZERO,
    };
    let world = World::new(Arc::clone(&clock) as _, pace, folder.path().to_owned());
    Clouds { world, clock, _folder: folder }
}

impl Clouds {
    pub(crate) fn pass(&self, seconds: i64) {
        self.clock.advance(jiff::SignedDuration::from_secs(seconds));
    }

    pub(crate) fn copy(&self, request: &CopyRequest) -> Result<Vec<Placed>, ImageRefusal> {
        self.world.copy(request).map(Option::unwrap_or_default)
    }

    /// Finds an image wherever it is.
    pub(crate) fn find(&self, id: &str) -> Option<Image> {
        self.world.all_images().into_iter().find(|image| image.id == id)
    }

    pub(crate) fn spoil(&self, action: &str, kind: FaultKind, region: Option<&str>) {
        let region = region.map(str::to_owned);
        let delay = std::time::Duration::ZERO;
        self.world.order_fault(Fault { cloud: None, action: action.to_owned(), region, kind, times: 1, delay });
    }
}

/// A call of SyncImages by the first account.
pub(crate) fn sync(image: &str, destinations: &[&str]) -> CopyRequest {
    CopyRequest {
        cloud: Cloud::Tencent,
        account: TENCENT.0.to_owned(),
        region: TENCENT.1.to_owned(),
        image_id: image.to_owned(),
        action: "SyncImages",
        destinations: destinations.iter().map(|&region| region.to_owned()).collect(),
        name: None,
        description: None,
        encryption: None,
        resource_group: None,
        tags: Vec::new(),
        token: None,
        dry_run: false,
    }
}

/// A call of CopyImage by the first account.
pub(crate) fn copy(word: &str, destination: &str) -> CopyRequest {
    CopyRequest {
        cloud: Cloud::Alibaba,
        account: ALIBABA.0.to_owned(),
        region: ALIBABA.1.to_owned(),
        image_id: alibaba_image(word),
        action: "CopyImage",
        ..sync("", &[destination])
    }
}

/// Id of a seeded image of Alibaba's first account.
pub(crate) fn alibaba_image(word: &str) -> String {
    format!("m-bp1sampan{word}{:0width$}", 1, width = 11 - word.len())
}

/// A change of receivers of an image of the first account of `place`.
pub(crate) fn share(place: (&str, &str), image: &str, add: &[&str], remove: &[&str]) -> ShareRequest {
    let owned = |ids: &[&str]| ids.iter().map(|&id| id.to_owned()).collect();
    ShareRequest {
        account: place.0.to_owned(),
        region: place.1.to_owned(),
        image_id: image.to_owned(),
        add: owned(add),
        remove: owned(remove),
        dry_run: false,
    }
}
