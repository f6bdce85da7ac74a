"""What the tests of Alibaba Cloud share: seeded names, and an export from its start to its objects."""

import time

REGION = "cn-hangzhou"
BUCKET = "sampan-hangzhou"


def image(word):
    """Id of a seeded image of the first account in cn-hangzhou; the seed names them by what is special in them."""
    return "m-bp1sampan" + word + "1".zfill(11 - len(word))


def export(ecs, image_id, **changes):
    """Exports an image, waits for its end, and returns the keys of its objects."""
    parameters = {"RegionId": REGION, "ImageId": image_id, "OSSBucket": BUCKET, "OSSPrefix": "Test"} | changes
    task = ecs.call("ExportImage", **parameters)["TaskId"]
    return object_keys(wait(ecs, task, parameters["RegionId"]))


def wait(ecs, task, region=REGION, seconds=30):
    """Polls a task until it has ended and returns its last description."""
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        told = ecs.call("DescribeTaskAttribute", RegionId=region, TaskId=task)
        if told["TaskStatus"] not in ("Processing", "Waiting", "Pending"):
            return told
        time.sleep(0.05)
    raise AssertionError(f"task {task} has not ended: {told}")


def object_keys(told):
    """Keys that a finished task tells, in order."""
    operations = told["OperationProgressSet"]["OperationProgress"]
    items = [item for one in operations for item in one["RelatedItemSet"]["RelatedItem"]]
    return [item["Value"] for item in items if item["Name"] == "OSSObject"]
