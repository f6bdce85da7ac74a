//! CreateImage: reads which snapshots an image is to be made of, on which devices, and what system it holds.

use sampan_core::{Cloud, DiskRole};
use serde_json::{Map, json};

use super::image_codes::{Act, in_vendor_words};
use super::parameters::Parameters;
use super::refusal::Refusal;
use super::{Answer, Context, texts};
use crate::world::{CreateRequest, DiskOfSnapshot};

/// Most data disks of one image.
const MOST_DATA_DISKS: usize = 16;
/// What `Platform` may say.
const PLATFORMS: [&str; 27] = [
    "Aliyun",
    "Anolis",
    "CentOS",
    "CentOS Stream",
    "Ubuntu",
    "CoreOS",
    "Fedora CoreOS",
    "SUSE",
    "Debian",
    "OpenSUSE",
    "FreeBSD",
    "RedHat",
    "Kylin",
    "UOS",
    "Fedora",
    "AlmaLinux",
    "Rocky Linux",
    "Gentoo",
    "Customized Linux",
    "Others Linux",
    "Windows Server 2003",
    "Windows Server 2008",
    "Windows Server 2012",
    "Windows Server 2016",
    "Windows Server 2019",
    "Windows Server 2022",
    "Other Windows",
];

pub(super) fn run(context: &Context<'_>) -> Answer {
    let parameters = context.parameters;
    let region = parameters.region()?;
    let platform = word(parameters, "Platform", &PLATFORMS, "InvalidPlatform.Malformed")?;
    let architecture = word(parameters, "Architecture", &["i386", "x86_64", "arm64"], "InvalidArchitecture.Malformed")?;
    let boot_mode = word(parameters, "BootMode", &["BIOS", "UEFI", "UEFI-Preferred"], "InvalidBootMode.NotSupport")?;
    let request = CreateRequest {
        cloud: Cloud::Alibaba,
        account: context.account.id.clone(),
        region: region.to_owned(),
        disks: disks(parameters)?,
        name: texts::image_name(parameters, "ImageName")?,
        description: texts::description(parameters, "Description")?.unwrap_or_default(),
        tells_system: platform.is_some() && architecture.is_some(),
        platform,
        boot_mode,
        resource_group: parameters.optional("ResourceGroupId").map(str::to_owned),
        tags: texts::tags(parameters)?,
        token: texts::client_token(parameters)?,
        dry_run: parameters.flag("DryRun")? == Some(true),
    };
    match context.world.create(&request) {
        Ok(None) => Err(Refusal::dry_run()),
        Ok(Some(id)) => Ok(Map::from_iter([("ImageId".to_owned(), json!(id))])),
        Err(refusal) => Err(in_vendor_words(Act::Create, &refusal)),
    }
}

fn word(parameters: &Parameters, name: &str, known: &[&str], code: &'static str) -> Result<Option<String>, Refusal> {
    match parameters.optional(name) {
        Some(word) if !known.contains(&word) => {
            Err(Refusal::bad_request(code, format!("The specified {name} is not valid.")))
        }
        word => Ok(word.map(str::to_owned)),
    }
}

/// An instance comes before mappings, mappings before a single snapshot. Machines are not simulated, so every
/// instance is unknown.
fn disks(parameters: &Parameters) -> Result<Vec<DiskOfSnapshot>, Refusal> {
    if parameters.optional("InstanceId").is_some() {
        return Err(Refusal::not_found("InvalidInstanceId.NotFound", "The specified InstanceId does not exist."));
    }
    let mapped = (1..).map_while(|number| mapping(parameters, number).transpose()).collect::<Result<Vec<_>, _>>()?;
    if !mapped.is_empty() {
        return checked(mapped);
    }
    let Some(snapshot) = parameters.optional("SnapshotId") else {
        let message = "One of InstanceId, DiskDeviceMapping and SnapshotId is needed.";
        return Err(Refusal::bad_request("InvalidParameter.AllEmpty", message));
    };
    Ok(vec![DiskOfSnapshot { snapshot_id: snapshot.to_owned(), role: None, device: None, size_gib: None }])
}

fn mapping(parameters: &Parameters, number: usize) -> Result<Option<DiskOfSnapshot>, Refusal> {
    let field = |name: &str| parameters.optional(&format!("DiskDeviceMapping.{number}.{name}"));
    if ["SnapshotId", "DiskType", "Device", "Size"].into_iter().all(|name| field(name).is_none()) {
        return Ok(None);
    }
    let snapshot_id = field("SnapshotId")
        .ok_or_else(|| Refusal::missing(&format!("DiskDeviceMapping.{number}.SnapshotId")))?
        .to_owned();
    let role = match field("DiskType") {
        Some("system") => Some(DiskRole::System),
        Some("data") => Some(DiskRole::Data),
        Some(_) => {
            let message = "The specified DiskType is not supported.";
            return Err(Refusal::bad_request("InvalidDiskType.ValueNotSupported", message));
        }
        None => None,
    };
    let size_gib = match field("Size").map(str::parse) {
        Some(Err(_)) => {
            let message = "The specified Size is not a number.";
            return Err(Refusal::bad_request("InvalidSize.ValueNotSupported", message));
        }
        Some(Ok(size)) => Some(size),
        None => None,
    };
    Ok(Some(DiskOfSnapshot { snapshot_id, role, device: field("Device").map(str::to_owned), size_gib }))
}

/// Devices are `/dev/xvda` for the system disk, others for data disks, each once.
fn checked(disks: Vec<DiskOfSnapshot>) -> Result<Vec<DiskOfSnapshot>, Refusal> {
    for (index, disk) in disks.iter().enumerate() {
        let Some(device) = disk.device.as_deref() else { continue };
        let letter = device.strip_prefix("/dev/xvd").filter(|letter| letter.len() == 1);
        let fits = match (letter, disk.role) {
            (Some("a"), Some(DiskRole::Data)) | (None, _) => false,
            (Some("a"), _) => true,
            (Some(_), Some(DiskRole::System)) => false,
            (Some(letter), _) => letter.bytes().all(|byte| byte.is_ascii_lowercase()),
        };
        if !fits {
            return Err(Refusal::bad_request("InvalidDevice.Malformed", "The specified device is not valid."));
        }
        if disks.iter().take(index).any(|earlier| earlier.device.as_deref() == Some(device)) {
            return Err(Refusal::bad_request("InvalidDevice.InUse", "The specified device is used by another disk."));
        }
    }
    let data = disks.iter().filter(|disk| disk.role == Some(DiskRole::Data)).count();
    if data > MOST_DATA_DISKS {
        return Err(Refusal::invalid("DiskDeviceMapping"));
    }
    Ok(disks)
}
