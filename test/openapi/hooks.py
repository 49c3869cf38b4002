"""What the document can't say of good requests. Bad ones are sent as schemathesis makes them."""

import uuid

import schemathesis


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


def without_proto(value):
    if isinstance(value, dict):
        return {name: without_proto(member) for name, member in value.items() if name != "__proto__"}
    if isinstance(value, list):
        return [without_proto(member) for member in value]
    return value
