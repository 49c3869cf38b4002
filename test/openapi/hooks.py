"""What the document can't say of good requests. Bad ones are sent as schemathesis makes them."""

import base64
import json
import os
import uuid

import schemathesis
from schemathesis.generation.meta import TestPhase

ENCRYPTED = json.loads(os.environ["OPENAPI_TEST_ENCRYPTED"])
DECODE = "/codec/decode"
ERASED = os.environ["OPENAPI_TEST_ERASED"]
ERASURE = "/api/v1/admin/owners/{owner}/data/"
TASK_ID = os.environ["OPENAPI_TEST_TASK"]
BATCH_ID = os.environ["OPENAPI_TEST_BATCH"]
FAILED_TASK_ID = os.environ["OPENAPI_TEST_FAILED_TASK"]


@schemathesis.hook
def before_call(context, case, kwargs):
    if case.meta is None or not case.meta.generation.mode.is_positive:
        return
    # The same key with another body is refused by design: each good request is one of its own.
    if case.headers and "Idempotency-Key" in case.headers:
        case.headers["Idempotency-Key"] = str(uuid.uuid4())
    # A cursor is good only where a page of the same list gave it.
    if case.query and "cursor" in case.query:
        del case.query["cursor"]
    # Refused by design, wherever it stands in a body: an object with it could change others.
    if isinstance(case.body, (dict, list)):
        case.body = without_proto(case.body)
    # Else an operation may see nothing but the 404 of ids that were made up; those are asked for in the other phases.
    if case.path_parameters and case.meta.phase.name == TestPhase.FUZZING:
        if "task_id" in case.path_parameters:
            # Only what failed may run again.
            is_retry = case.path.endswith("/retry/")
            case.path_parameters["task_id"] = FAILED_TASK_ID if is_retry else TASK_ID
        if "batch_id" in case.path_parameters:
            case.path_parameters["batch_id"] = BATCH_ID
        if case.path == ERASURE and case.method == "GET":
            case.path_parameters["owner"] = ERASED
    # What the document can only show the form of.
    if case.path == DECODE and isinstance(case.body, dict) and isinstance(case.body.get("payloads"), list):
        case.body = {**case.body, "payloads": [*case.body["payloads"], ENCRYPTED]}


@schemathesis.check
def decodes_what_the_service_encrypted(ctx, response, case):
    # An empty list may be left out, and with it the whole body.
    sent = case.body.get("payloads", []) if case.path == DECODE and isinstance(case.body, dict) else []
    if response.status_code == 200 and ENCRYPTED in sent:
        last = response.json()["payloads"][-1]
        assert base64.b64decode(last["data"]) == b'"in clear"', "the payload is not decrypted"


def without_proto(value):
    if isinstance(value, dict):
        return {name: without_proto(member) for name, member in value.items() if name != "__proto__"}
    if isinstance(value, list):
        return [without_proto(member) for member in value]
    return value
