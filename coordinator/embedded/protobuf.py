"""The protobuf bodies that kubectl sends.

For ``create configmap``, ``create namespace`` and ``auth can-i`` newer kubectl writes protobuf
whatever the server would like; the answer may be JSON. Nothing else is read. Field numbers are
those of ``generated.proto`` in ``k8s.io/api`` and apimachinery.
"""

from __future__ import annotations

import base64
from typing import TYPE_CHECKING, Any

from coordinator.embedded import errors

if TYPE_CHECKING:
    from collections.abc import Iterator

MEDIA_TYPE = "application/vnd.kubernetes.protobuf"

_MAGIC = b"k8s\x00"
_VARINT, _FIXED64, _BYTES, _FIXED32 = 0, 1, 2, 5
Message = dict[int, tuple[str, Any]]
_METADATA: Message = {
    1: ("name", "text"), 2: ("generateName", "text"), 3: ("namespace", "text"),
    11: ("labels", "texts"), 12: ("annotations", "texts"), 14: ("finalizers", "list"),
}  # fmt: skip
_RESOURCE: Message = {
    1: ("namespace", "text"), 2: ("verb", "text"), 3: ("group", "text"), 4: ("version", "text"),
    5: ("resource", "text"), 6: ("subresource", "text"), 7: ("name", "text"),
}  # fmt: skip
_REVIEW_SPEC: Message = {
    1: ("resourceAttributes", _RESOURCE),
    2: ("nonResourceAttributes", {1: ("path", "text"), 2: ("verb", "text")}),
}
_KINDS: dict[str, Message] = {
    "ConfigMap": {
        1: ("metadata", _METADATA), 2: ("data", "texts"), 3: ("binaryData", "blobs"),
        4: ("immutable", "bool"),
    },
    "Secret": {
        1: ("metadata", _METADATA), 2: ("data", "blobs"), 3: ("type", "text"),
        4: ("stringData", "texts"), 5: ("immutable", "bool"),
    },
    "Namespace": {1: ("metadata", _METADATA)},
    "SelfSubjectAccessReview": {1: ("metadata", _METADATA), 2: ("spec", _REVIEW_SPEC)},
}  # fmt: skip
_TYPE_META: Message = {1: ("apiVersion", "text"), 2: ("kind", "text")}


def _varint(data: bytes, at: int) -> tuple[int, int]:
    value = shift = 0
    while True:
        value |= (data[at] & 0x7F) << shift
        at, shift = at + 1, shift + 7
        if not data[at - 1] & 0x80:
            return value, at


def _fields(data: bytes) -> Iterator[tuple[int, Any]]:
    """Yield each field's number and value; raises IndexError or ValueError for broken bytes."""
    at = 0
    while at < len(data):
        tag, at = _varint(data, at)
        if tag & 7 == _VARINT:
            value, at = _varint(data, at)
            yield tag >> 3, value
            continue
        if tag & 7 not in {_FIXED64, _BYTES, _FIXED32}:
            raise ValueError(f"wire type {tag & 7}")
        size = 8 if tag & 7 == _FIXED64 else 4
        if tag & 7 == _BYTES:
            size, at = _varint(data, at)
        if at + size > len(data):
            raise ValueError("the message ends early")
        yield tag >> 3, data[at : at + size]
        at += size


def _put(out: dict[str, Any], name: str, kind: Any, value: Any) -> None:
    if isinstance(kind, dict):
        out[name] = _message(value, kind)
    elif kind == "text":
        out[name] = value.decode()
    elif kind == "bool":
        out[name] = bool(value)
    elif kind == "list":
        out.setdefault(name, []).append(value.decode())
    else:
        pair = dict(_fields(value))
        inner = pair.get(2, b"")
        text = inner.decode() if kind == "texts" else base64.b64encode(inner).decode()
        out.setdefault(name, {})[pair.get(1, b"").decode()] = text


def _message(data: bytes, schema: Message) -> dict[str, Any]:
    out: dict[str, Any] = {}
    for number, value in _fields(data):
        if number in schema:
            _put(out, *schema[number], value)
    return out


def decode(data: bytes) -> dict[str, Any]:
    """Return the object of a body; raises ``ApiError``: 400 when broken, 415 for other kinds."""
    try:
        if not data.startswith(_MAGIC):
            raise ValueError("the k8s prefix is missing")
        envelope = dict(_fields(data[len(_MAGIC) :]))
        head = _message(envelope[1], _TYPE_META)
        schema = _KINDS.get(head.get("kind", ""))
        if schema is None:
            note = f" (the embedded API server reads no protobuf of {head.get('kind')})"
            raise errors.unsupported_media_type(["application/json"], note)
        return {**head, **_message(envelope[2], schema)}
    except (IndexError, ValueError, KeyError, AttributeError, TypeError) as exc:
        raise errors.bad_request(f"the protobuf body cannot be read: {exc}") from exc
