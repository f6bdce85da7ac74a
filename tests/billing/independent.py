"""Computes estimates a second time, straight from the price file: shares no code and no method with the product.

The product counts in whole parts of one fixed fraction; this counts in Python's exact fractions. The rules are written
down here again from what the vendors document, so that a slip on either side shows as a difference.
"""

import csv
from decimal import ROUND_HALF_UP, Decimal
from fractions import Fraction
from math import ceil

GIB = 2**30
MIB = 2**20
MONTH_HOURS = 720
TIB = 2**40

# Minimum hours; the classes with a minimum also bill 64 KiB for each object at least.
MINIMUM_DAYS = {
    "tencent": {
        "STANDARD": 0,
        "MAZ_STANDARD": 0,
        "STANDARD_IA": 30,
        "MAZ_STANDARD_IA": 30,
        "ARCHIVE": 90,
        "DEEP_ARCHIVE": 180,
    },
    "alibaba": {
        "Standard-LRS": 0,
        "Standard-ZRS": 0,
        "IA-LRS": 30,
        "IA-ZRS": 30,
        "Archive-LRS": 60,
        "ColdArchive-LRS": 180,
        "DeepColdArchive-LRS": 180,
    },
}


class Prices:
    """The rows of a price file, by what they are for."""

    def __init__(self, path):
        self.tiers = {}
        with open(path, newline="", encoding="utf-8") as file:
            for row in csv.DictReader(file):
                key = tuple(row[name] for name in ("provider", "site", "region_code", "item", "storage_class"))
                self.tiers.setdefault(key, []).append(row)
        for rows in self.tiers.values():
            rows.sort(key=lambda row: int(row["tier_from"]))

    def regions(self, cloud, site):
        return sorted({key[2] for key in self.tiers if key[:2] == (cloud, site)} - {"all"})

    def of(self, cloud, site, region, item, variant):
        for where in (region, "all"):
            for which in (variant, ""):
                if (cloud, site, where, item, which) in self.tiers:
                    return self.tiers[cloud, site, where, item, which]
        return []


def per_thing(unit):
    """Returns how many measured things one unit of the price is for, and the hours, if any."""
    return {
        "GB-month": (GIB, MONTH_HOURS),
        "GiB-month": (GIB, MONTH_HOURS),
        "GB-hour": (GIB, 1),
        "GB": (GIB, None),
        "10k-requests": (10_000, None),
        "10k-calls": (10_000, None),
        "key-day": (1, 24),
        "instance-day": (1, 24),
        "qps-day": (1, 24),
    }[unit]


def micro(value):
    """Returns an exact amount as a decimal text with 6 places, rounded half up."""
    scaled = value * 10**6
    whole = Decimal(scaled.numerator // scaled.denominator)
    if (scaled - scaled.numerator // scaled.denominator) * 2 >= 1:
        whole += 1
    return str((whole / 10**6).quantize(Decimal("0.000001"), rounding=ROUND_HALF_UP))


def cents(value):
    return f"{Decimal(int(value * 100)) / 100:.2f}"


class Sheet:
    """The lines of one estimate, each with three exact amounts."""

    def __init__(self, prices, cloud, site):
        self.prices, self.cloud, self.site = prices, cloud, site
        self.lines = []

    def charge(self, item, region, variant, things, hours=0, free=0, kind="ONE_TIME", price_of=None):
        """Adds the lines of a fee. `things` are three counts; `price_of` names another price than the fee's own."""
        tiers = self.prices.of(self.cloud, self.site, region, *(price_of or (item, variant)))
        line = {"item": item, "region": region, "class": variant, "kind": kind, "hours": hours}
        paid = tiers
        if len(tiers) > 1 and Decimal(tiers[0]["price"]) == 0 and tiers[0]["tier_from"] == "0":
            paid = tiers[1:]
        if things[2] == 0:
            self.lines.append({**line, "status": "NOT_APPLICABLE", "things": things, "amounts": [Fraction(0)] * 3})
            return
        given = [min(count, allowance) for count, allowance in zip(things, free if isinstance(free, list) else [free] * 3)]
        if given[2] > 0:
            self.lines.append({**line, "status": "FREE", "things": given, "amounts": [Fraction(0)] * 3})
            things = [count - part for count, part in zip(things, given)]
        if things[2] == 0:
            return
        if not paid:
            self.lines.append({**line, "status": "PRICE_UNKNOWN", "things": things, "amounts": None})
            return
        start = int(paid[0]["tier_from"])
        for row in paid:
            size, period = per_thing(row["unit"])
            begin = (int(row["tier_from"]) - start) * size
            end = (int(row["tier_to"]) - start) * size if row["tier_to"] else None
            part = [max(0, (count if end is None else min(count, end)) - begin) for count in things]
            if part[2] == 0:
                break
            price = Fraction(row["price"])
            times = Fraction(1) if period is None else Fraction(hours, period)
            month = Fraction(1) if period is None else Fraction(MONTH_HOURS, period)
            self.lines.append({
                **line,
                "status": "FREE" if price == 0 else "PRICED",
                "things": part,
                "price": row,
                "amounts": [price * count / size * times for count in part],
                "month": [price * count / size * month for count in part],
            })

    def none(self, item, region, variant, things, kind="ONE_TIME", hours=0):
        """Adds the line of a fee that does not exist."""
        self.lines.append({
            "item": item, "region": region, "class": variant, "kind": kind, "hours": hours,
            "status": "NOT_APPLICABLE", "things": things, "amounts": [Fraction(0)] * 3,
        })

    def totals(self):
        """Returns the sums as texts: total, paid once, per month, payable; and whether a price is missing."""
        known = [line for line in self.lines if line["amounts"] is not None]
        once = [line for line in known if line["kind"] != "RECURRING"]
        monthly = [line for line in known if line["kind"] == "RECURRING" and "month" in line]
        sums = [sum((line["amounts"][i] for line in known), Fraction(0)) for i in range(3)]
        if self.cloud == "tencent":
            payable = [sum((Fraction(int(line["amounts"][i] * 100), 100) for line in known), Fraction(0)) for i in range(3)]
        else:
            payable = sums
        return {
            "total": [micro(value) for value in sums],
            "one_time": [micro(sum((line["amounts"][i] for line in once), Fraction(0))) for i in range(3)],
            "per_month": [micro(sum((line["month"][i] for line in monthly), Fraction(0))) for i in range(3)],
            "payable": [cents(value) for value in payable],
            "lower_bound": len(known) < len(self.lines),
        }


def three(function, sizes):
    """Sums three figures over objects."""
    return [sum(function(size[i]) for size in sizes) for i in range(3)]


def exported_size(disk, cloud, file_format, ratio):
    capacity, used = disk
    if ratio is not None:
        return [ceil(capacity * Fraction(ratio))] * 3
    if cloud == "tencent" and file_format == "RAW":
        return [capacity] * 3
    if used is None:
        return [ceil(Fraction(capacity, 10)), ceil(Fraction(capacity * 6, 10)), capacity]
    packed = file_format == "RAW"
    return [ceil(Fraction(used * 3, 10)), ceil(Fraction(used * 6, 10)) if packed else used, capacity]


def export(prices, ask):
    cloud, site, region, kind = ask["cloud"], ask["site"], ask["region"], ask["class"]
    sheet = Sheet(prices, cloud, site)
    sizes = [exported_size(disk, cloud, ask["format"], ask["ratio"]) for disk in ask["disks"]]
    minimum = MINIMUM_DAYS[cloud][kind]
    hours = max(ask["hours"], minimum * 24)
    least = 64 * 1024 if minimum else 0
    item = "storage"
    if ask["discounted"] and prices.of(cloud, site, region, "storage_discounted", kind):
        item = "storage_discounted"
    stored = three(lambda size: max(size, least), sizes)
    sheet.charge(item, region, kind, stored, hours=hours, free=ask["free_storage"], kind="RECURRING")

    def calls(size, part):
        return min(max(-(-size // part), 1), 10_000) + 2

    if ask["write_part"]:
        writes = three(lambda size: calls(size, ask["write_part"]), sizes)
    else:
        writes = [
            sum(calls(size[0], 5 * GIB) for size in sizes),
            sum(calls(size[1], 64 * MIB) for size in sizes),
            10_002 * len(sizes),
        ]
    sheet.charge("request_put", region, kind, writes)
    sheet.charge("ingress", region, "", three(lambda size: size, sizes))
    read(sheet, prices, ask, sizes)
    return sheet


def download(prices, ask):
    sheet = Sheet(prices, ask["cloud"], ask["site"])
    read(sheet, prices, ask, [[size] * 3 for size in ask["objects"]])
    return sheet


def read(sheet, prices, ask, sizes):
    """Adds what the downloads cost."""
    cloud, site, region, kind = ask["cloud"], ask["site"], ask["region"], ask["class"]
    day, night, private = ask["downloads"]
    every = day + night + private

    def price_of(item):
        # Restored data of Tencent's cold classes is read as standard data where no price of its own is known.
        if cloud == "tencent" and "ARCHIVE" in kind and not prices.of(cloud, site, region, item, kind):
            return item, "STANDARD"
        return item, kind

    def gets(size, part):
        return max(-(-size // part), 1)

    if ask["read_part"]:
        reads = three(lambda size: gets(size, ask["read_part"]), sizes)
    else:
        reads = [
            len(sizes),
            sum(gets(size[1], 64 * MIB) for size in sizes),
            sum(gets(size[2], MIB) for size in sizes),
        ]
    event = {"kind": "PER_EVENT"}
    sheet.charge("request_get", region, kind, [count * every for count in reads], price_of=price_of("request_get"), **event)
    data = three(lambda size: size, sizes)
    if MINIMUM_DAYS[cloud][kind] == 0:
        if prices.of(cloud, site, region, "retrieval", kind):
            sheet.charge("retrieval", region, kind, [count * every for count in data], **event)
        else:
            sheet.none("retrieval", region, kind, [count * every for count in data], **event)
    elif MINIMUM_DAYS[cloud][kind] == 30:
        sheet.charge("retrieval", region, kind, [count * every for count in data], **event)
    else:
        restores = (ask["restores"] or 1) if every else 0
        restored = [count * restores for count in data]
        requests = [len(sizes) * restores] * 3
        if kind in ("ARCHIVE", "Archive-LRS"):
            sheet.none(f"request_restore_{ask['speed']}", region, kind, requests, **event)
        else:
            sheet.charge(f"request_restore_{ask['speed']}", region, kind, requests, **event)
        item = "retrieval" if kind == "Archive-LRS" else f"retrieval_{ask['speed']}"
        sheet.charge(item, region, kind, restored, **event)
        if cloud == "tencent":
            sheet.charge(
                "temporary_storage", region, "STANDARD", restored,
                hours=ask["restored_hours"], price_of=("storage", "STANDARD"), **event,
            )
        elif kind != "Archive-LRS":
            sheet.charge("temporary_storage", region, kind, restored, hours=ask["restored_hours"], **event)
    free = ask["free_traffic"]
    if prices.of(cloud, site, region, "egress_public_peak", kind):
        by_day = [count * day for count in data]
        left = [max(0, free - count) for count in by_day]
        sheet.charge("egress_public_peak", region, kind, by_day, free=free, **event)
        sheet.charge("egress_public_offpeak", region, kind, [count * night for count in data], free=left, **event)
    else:
        public = [count * (day + night) for count in data]
        sheet.charge("egress_public", region, kind, public, free=free, price_of=price_of("egress_public"), **event)
    sheet.charge("egress_private", region, kind, [count * private for count in data], **event)


def copy(prices, ask):
    cloud, site, source = ask["cloud"], ask["site"], ask["source"]
    sheet = Sheet(prices, cloud, site)
    snapshots = []
    for capacity, used in ask["disks"]:
        snapshots.append([ceil(Fraction(capacity, 10)), capacity, capacity] if used is None else [used, used, capacity])
    data = three(lambda size: size, snapshots)
    variant = "" if cloud == "tencent" else "standard"
    for region in ask["destinations"]:
        if region == source:
            sheet.none("cross_region_copy", source, "image", data)
        else:
            large = cloud == "alibaba" and data[2] > 2 * TIB
            mainland = region.startswith("cn-") and region != "cn-hongkong"
            to = "to-other-mainland" if mainland else f"to-{region}"
            if large:
                sheet.charge("snapshot_replication", source, to, data)
                sheet.none("cross_region_copy", source, "image", data)
            else:
                if prices.of(cloud, site, source, "snapshot_replication", to):
                    sheet.charge("snapshot_replication", source, to, [0, 0, data[2]])
                sheet.charge("cross_region_copy", source, "image", data)
        sheet.charge(
            "snapshot", region, variant, data, hours=ask["hours"], free=ask["free_snapshot"], kind="RECURRING"
        )
        encrypt(sheet, ask, region)
    if ask["accounts"]:
        sheet.none("share", source, "", [ask["accounts"]] * 3)
    return sheet


def encrypt(sheet, ask, region):
    """Adds what keys cost in a region."""
    how, hours, disks = ask["encryption"], ask["hours"], len(ask["disks"])
    if how is None:
        return
    timed = {"hours": hours, "kind": "RECURRING"}
    key, calls = {
        ("tencent", "DEFAULT_KEY"): ("tencent-managed", ""),
        ("tencent", "OWN_KEY"): ("customer-managed", ""),
        ("alibaba", "DEFAULT_KEY"): ("default-service-key", "default-service-key"),
        ("alibaba", "OWN_KEY"): ("kms-instance-payg", None),
        ("alibaba", "LEGACY_KEY"): ("legacy-user-key", "legacy-user-key"),
    }[ask["cloud"], how]
    sheet.charge("kms_key", region, key, [1, 1, 1], **timed)
    if calls is not None:
        each = [1, 3, 30] if ask["kms_calls"] is None else [ask["kms_calls"]] * 3
        counts = [count * disks for count in each]
        if ask["cloud"] == "tencent":
            counts = [max(count, 1_000) if count else 0 for count in counts]
        sheet.charge("kms_api", region, calls, counts, free=ask["free_calls"])
    else:
        sheet.charge("kms_instance", region, "software-payg", [0, 0, 1], **timed)
        sheet.charge("kms_qps", region, "payg", [0, 0, 1], **timed)
