"""Makes random questions, and writes each as a request of the API."""

GIB = 2**30
CLASSES = {
    "tencent": ["STANDARD", "STANDARD_IA", "MAZ_STANDARD", "MAZ_STANDARD_IA", "ARCHIVE", "DEEP_ARCHIVE"],
    "alibaba": [
        "Standard-LRS", "Standard-ZRS", "IA-LRS", "IA-ZRS", "Archive-LRS", "ColdArchive-LRS", "DeepColdArchive-LRS",
    ],
}
FORMATS = {"tencent": ["RAW", "VHD", "QCOW2", "VMDK"], "alibaba": ["RAW", "VHD", "QCOW2", "VMDK", "VDI"]}
DAYS = [1, 7, 10, 28, 29, 30, 31, 59, 60, 61, 89, 90, 91, 179, 180, 181, 365, 3_650]


def size(dice):
    """Sizes around the borders, and any others."""
    return dice.choice([
        1,
        GIB,
        dice.randint(1, 200_000),
        dice.randint(1, 500) * GIB,
        dice.randint(1, 500 * GIB),
        dice.randint(1, 32 * 1024 * GIB),
        dice.choice([64 * 1024, 80 * GIB, 32 * 1024 * GIB]) + dice.randint(-1, 1),
    ])


def disks(dice):
    found = []
    for _ in range(dice.choice([1, 1, 2, 3, 5, 20])):
        capacity = size(dice)
        used = dice.choice([None, 0, capacity, dice.randint(0, capacity)])
        found.append((capacity, used))
    return found


def hours(dice):
    return dice.choice([dice.choice(DAYS) * 24, dice.randint(1, 20_000)])


def allowance(dice, most):
    return dice.choice([0, 0, 0, dice.randint(1, most)])


def place(dice, prices):
    cloud = dice.choice(["tencent", "alibaba"])
    site = dice.choice(["cn", "intl"])
    return cloud, site, dice.choice(prices.regions(cloud, site))


def reading(dice):
    """The part of a question that is about downloads."""
    return {
        "downloads": tuple(dice.choice([0, 0, 1, 2, 17]) for _ in range(3)),
        "speed": dice.choice(["expedited", "standard", "bulk"]),
        "restores": dice.choice([0, 0, 1, 3]),
        "restored_hours": dice.choice([24, 24, 1, 72]),
        "read_part": dice.choice([0, 0, 8 << 20, 100_000_000]),
        "free_traffic": allowance(dice, 200 * GIB),
    }


def export(dice, prices):
    cloud, site, region = place(dice, prices)
    return {
        "cloud": cloud, "site": site, "region": region,
        "class": dice.choice(CLASSES[cloud]), "format": dice.choice(FORMATS[cloud]), "disks": disks(dice),
        "hours": hours(dice), "ratio": dice.choice([None, None, "0.6", "1", "0", "0.123456789012"]),
        "write_part": dice.choice([0, 0, 1 << 20, 5 << 30, 12_345_678]),
        "discounted": dice.random() < 0.3, "free_storage": allowance(dice, 100 * GIB), **reading(dice),
    }


def copy(dice, prices):
    cloud, site, source = place(dice, prices)
    regions = prices.regions(cloud, site)
    keys = ["DEFAULT_KEY", "OWN_KEY"] + (["LEGACY_KEY"] if cloud == "alibaba" else [])
    return {
        "cloud": cloud, "site": site, "source": source,
        "destinations": dice.sample(regions, dice.randint(1, min(4, len(regions)))), "disks": disks(dice),
        "hours": hours(dice), "encryption": dice.choice([None, None, *keys]), "accounts": dice.choice([0, 0, 3]),
        "kms_calls": dice.choice([None, None, 0, 3, 5_000]), "free_snapshot": allowance(dice, 100 * GIB),
        "free_calls": allowance(dice, 20_000),
    }


def download(dice, prices):
    cloud, site, region = place(dice, prices)
    question = {
        "cloud": cloud, "site": site, "region": region, "class": dice.choice(CLASSES[cloud]),
        "objects": [dice.choice([0, size(dice), size(dice)]) for _ in range(dice.choice([1, 2, 5]))], **reading(dice),
    }
    if sum(question["downloads"]) == 0:
        question["downloads"] = (1, 0, 0)
    return question


def common(ask):
    return {"cloud": "CLOUD_" + ask["cloud"].upper(), "site": "SITE_" + ask["site"].upper()}


def disk_messages(ask):
    messages = []
    for capacity, used in ask["disks"]:
        messages.append({"capacity_bytes": capacity, **({} if used is None else {"used_bytes": used})})
    return messages


def download_message(ask):
    day, night, private = ask["downloads"]
    return {
        "public_count": day, "public_off_peak_count": night, "private_count": private,
        "restore_speed": "RESTORE_SPEED_" + ask["speed"].upper(), "restore_count": ask["restores"],
        "restored_for": f"{ask['restored_hours'] * 3600}s",
    }


def request(method, ask):
    """Returns a question as the request of a method, in the JSON form of protobuf."""
    if method == "EstimateCopy":
        overrides = {} if ask["kms_calls"] is None else {"kms_calls_per_disk": ask["kms_calls"]}
        encryption = {} if ask["encryption"] is None else {"encryption": "ENCRYPTION_" + ask["encryption"]}
        return {
            **common(ask), **encryption, "source_region": ask["source"], "destination_regions": ask["destinations"],
            "disks": disk_messages(ask), "keep_for": f"{ask['hours'] * 3600}s", "overrides": overrides,
            "share_account_count": ask["accounts"],
            "free": {"snapshot_bytes": ask["free_snapshot"], "kms_calls": ask["free_calls"]},
        }
    message = {
        **common(ask), "region": ask["region"], "storage_class": ask["class"], "downloads": download_message(ask),
    }
    if method == "EstimateDownload":
        return {
            **message, "object_sizes_bytes": ask["objects"], "free": {"public_traffic_bytes": ask["free_traffic"]},
            "overrides": {"read_part_bytes": ask["read_part"]},
        }
    ratio = {} if ask["ratio"] is None else {"export_ratio": ask["ratio"]}
    return {
        **message, "format": "IMAGE_FORMAT_" + ask["format"], "disks": disk_messages(ask),
        "keep_for": f"{ask['hours'] * 3600}s",
        "price_basis": "PRICE_BASIS_DISCOUNTED" if ask["discounted"] else "PRICE_BASIS_LIST",
        "free": {"storage_bytes": ask["free_storage"], "public_traffic_bytes": ask["free_traffic"]},
        "overrides": {**ratio, "write_part_bytes": ask["write_part"], "read_part_bytes": ask["read_part"]},
    }
