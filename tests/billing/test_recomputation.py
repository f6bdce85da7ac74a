"""A thousand random estimates, computed again from the price file alone, agree in every line and figure."""

import json
import os
import pathlib
import random
import subprocess
from decimal import ROUND_HALF_UP, Decimal

import pytest

import independent
import questions

ROOT = pathlib.Path(__file__).resolve().parents[2]
PRICES = ROOT / "services" / "billing" / "data" / "prices.csv"
COUNT = 1_000
SEED = int(os.environ.get("SAMPAN_BILLING_SEED", "20261121"))
METHODS = {
    "EstimateExport": (questions.export, independent.export),
    "EstimateCopy": (questions.copy, independent.copy),
    "EstimateDownload": (questions.download, independent.download),
}
UNITS = {"request": "requests", "kms_api": "calls", "kms_key": "keys", "kms_instance": "instances", "kms_qps": "qps", "share": "accounts"}


def program():
    """Returns the example that answers estimates; `cargo test` and `cargo build --examples` build it."""
    named = os.environ.get("SAMPAN_ESTIMATES")
    path = pathlib.Path(named) if named else ROOT / "target" / "debug" / "examples" / "estimates"
    assert path.exists(), f"{path} is not built; run: cargo build -p sampan-billing-service --example estimates"
    return path


def answers(asked):
    lines = "".join(json.dumps(line) + "\n" for line in asked)
    done = subprocess.run([program()], input=lines, capture_output=True, text=True, timeout=300)
    assert done.returncode == 0, done.stderr
    found = [json.loads(line) for line in done.stdout.splitlines()]
    assert len(found) == len(asked)
    return found


def quantity(item, things):
    """Returns a count as the product shows it: bytes in GB with up to 9 places."""
    name = item.split("_restore")[0]
    unit = next((unit for prefix, unit in UNITS.items() if name.startswith(prefix)), "GB")
    if unit != "GB":
        return str(things), unit
    places = (Decimal(things) / 2**30).quantize(Decimal("1e-9"), rounding=ROUND_HALF_UP)
    text = f"{places:f}".rstrip("0").rstrip(".")
    return text, unit


def seen(line):
    """Returns a line of the product in the words of the recomputation."""
    amount = line.get("amount")
    price = line.get("unit_price")
    status = line["status"].removeprefix("LINE_STATUS_")
    asked = line["quantity"]
    return {
        "item": line["item"], "region": line["region"], "class": line["storage_class"],
        "kind": line["kind"].removeprefix("LINE_KIND_"), "status": status, "hours": line["billed_hours"],
        "quantity": [asked["low"], asked["expected"], asked["high"]], "unit": asked["unit"],
        "amount": [amount["low"], amount["expected"], amount["high"]] if amount else None,
        "price": Decimal(price["amount"]) if price and status in ("PRICED", "FREE") else None,
        "source": price["source"] if price and status == "PRICED" else None,
    }


def computed(line):
    """Returns a line of the recomputation as it should be seen."""
    texts = [quantity(line["item"], count) for count in line["things"]]
    price = line.get("price")
    return {
        "item": line["item"], "region": line["region"], "class": line["class"], "kind": line["kind"],
        "status": line["status"], "hours": line["hours"],
        "quantity": [text for text, _ in texts], "unit": texts[0][1],
        "amount": None if line["amounts"] is None else [independent.micro(amount) for amount in line["amounts"]],
        "price": Decimal(price["price"]) if price else None,
        "source": price["source"] if price and line["status"] == "PRICED" else None,
    }


def order(lines):
    return sorted(lines, key=lambda line: (line["item"], line["region"], line["class"], line["status"], str(line["quantity"]), str(line["amount"])))


def differences(estimate, sheet):
    """Returns what differs, as texts; nothing when both agree."""
    found = []
    left, right = order(map(seen, estimate["lines"])), order(map(computed, sheet.lines))
    for mine, theirs in zip(left, right):
        # An allowance has a price row where the file lists the free tier, and none where it does not.
        if mine["status"] == "FREE" and theirs["price"] is None and mine["price"] in (None, Decimal(0)):
            mine["price"] = None
        if mine != theirs:
            found.append(f"product {mine}\nagain   {theirs}")
    if len(left) != len(right):
        found.append(f"{[line['item'] for line in left]} against {[line['item'] for line in right]}")
    sums = sheet.totals()
    for name in ("total", "one_time", "per_month", "payable"):
        shown = [estimate[name][figure] for figure in ("low", "expected", "high")]
        if shown != sums[name]:
            found.append(f"{name}: {shown} against {sums[name]}")
    if estimate["lower_bound"] != sums["lower_bound"]:
        found.append(f"lower bound: {estimate['lower_bound']}")
    return found


@pytest.fixture(scope="module")
def compared():
    """Every random estimate with its recomputation."""
    prices = independent.Prices(PRICES)
    dice = random.Random(SEED)
    asked = []
    for _ in range(COUNT):
        method = dice.choice(["EstimateExport", "EstimateExport", "EstimateCopy", "EstimateDownload"])
        asked.append((method, METHODS[method][0](dice, prices)))
    found = answers([{"method": method, "request": questions.request(method, ask)} for method, ask in asked])
    return [(method, ask, answer, METHODS[method][1](prices, ask)) for (method, ask), answer in zip(asked, found)]


def test_every_line_and_total_of_a_thousand_random_estimates_agrees(compared):
    for number, (method, ask, answer, sheet) in enumerate(compared):
        assert "reason" not in answer, f"seed {SEED}, number {number}, {method} {ask}: refused, {answer}"
        wrong = differences(answer, sheet)
        assert not wrong, f"seed {SEED}, number {number}, {method} {ask}:\n" + "\n".join(wrong)


def test_the_thousand_reach_every_kind_of_line(compared):
    statuses = {line["status"] for _, _, _, sheet in compared for line in sheet.lines}
    assert statuses == {"PRICED", "FREE", "PRICE_UNKNOWN", "NOT_APPLICABLE"}
    assert len(compared) == COUNT
    complete = [sheet for _, _, _, sheet in compared if not sheet.totals()["lower_bound"]]
    assert len(complete) > COUNT // 10, "enough estimates without a missing price"
    assert any(len(line["things"]) == 3 and line["things"][0] < line["things"][2] for *_, sheet in compared for line in sheet.lines)


def test_a_price_that_is_one_millionth_off_is_noticed(compared):
    """The comparison can fail: a changed figure shows."""
    _, _, answer, sheet = next(entry for entry in compared if Decimal(entry[2]["total"]["expected"]) > 0)
    changed = json.loads(json.dumps(answer))
    changed["total"]["expected"] = str(Decimal(changed["total"]["expected"]) + Decimal("0.000001"))
    assert differences(changed, sheet)
