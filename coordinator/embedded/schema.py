"""Typed reading of request bodies, as Go's decoder does it for the kinds that matter here.

Metadata, Leases and ConfigMaps are read field by field: a wrong type is a 400, an unknown field is
dropped and named, times are normalised. Nodes, Pods, Namespaces and Events keep whatever else they
carry, unread: their full schemas are thousands of lines, and nothing here depends on them.
"""

from __future__ import annotations

import base64
import binascii
import re
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

import orjson

from coordinator.embedded import errors

if TYPE_CHECKING:
    from coordinator.embedded.resources import Resource

Reader = Callable[[Any, str, list[str]], Any]
"""Takes (value, path, unknown fields so far); returns the clean value, None to leave it out."""

_MICRO = re.compile(
    r"(\d{4}-\d\d-\d\dT)(\d{1,2})(:\d\d:\d\d)[.,](\d{6})(Z|[+-]\d\d:\d\d)", re.ASCII
)
_TIME = re.compile(
    r"(\d{4}-\d\d-\d\dT)(\d{1,2})(:\d\d:\d\d)(?:[.,]\d+)?(Z|[+-]\d\d:\d\d)", re.ASCII
)


class WrongTypeError(ValueError):
    """A value that Go could not decode into the field's type."""


def _wrong(value: Any, path: str, wanted: str) -> WrongTypeError:
    names = {str: "string", bool: "bool", dict: "object", list: "array"}
    shown = names.get(type(value), "number")
    return WrongTypeError(f"json: cannot unmarshal {shown} into Go struct field {path} of {wanted}")


def text(value: Any, path: str, _unknown: list[str]) -> str | None:
    """Read a string that Go leaves out when it is empty."""
    return text_pointer(value, path, _unknown) or None


def text_pointer(value: Any, path: str, _unknown: list[str]) -> str | None:
    """Read a string whose empty value means something (``holderIdentity``)."""
    if value is not None and not isinstance(value, str):
        raise _wrong(value, path, "type string")
    return value


def boolean(value: Any, path: str, _unknown: list[str]) -> bool | None:
    """Read a boolean."""
    if value is not None and not isinstance(value, bool):
        raise _wrong(value, path, "type bool")
    return value


def integer(bits: int) -> Reader:
    """Return a reader of signed integers; ``1.0`` and ``true`` are none."""

    def read(value: Any, path: str, _unknown: list[str]) -> int | None:
        if value is None:
            return None
        if type(value) is not int or not -(2 ** (bits - 1)) <= value < 2 ** (bits - 1):
            raise _wrong(value, path, f"type int{bits}")
        return value

    return read


def _moment(match: re.Match[str], value: str) -> datetime:
    day, hour, rest, *fraction, zone = match.groups()
    micros = int(fraction[0]) if fraction else 0
    iso = f"{day}{hour:0>2}{rest}{'+00:00' if zone == 'Z' else zone}"
    try:
        return datetime.fromisoformat(iso).astimezone(UTC) + timedelta(microseconds=micros)
    except (ValueError, OverflowError) as exc:
        raise WrongTypeError(f'parsing time "{value}": {exc}') from exc


def micro_time(value: Any, path: str, _unknown: list[str]) -> str | None:
    """Read a MicroTime: exactly six fractional digits and a zone; comes back in UTC with ``Z``."""
    if value is None:
        return None
    if not isinstance(value, str):
        raise _wrong(value, path, "type string")
    if not (match := _MICRO.fullmatch(value)):
        layout = "2006-01-02T15:04:05.000000Z07:00"
        raise WrongTypeError(f'parsing time "{value}" as "{layout}": cannot parse "{value}"')
    return f"{_moment(match, value).replace(tzinfo=None).isoformat(timespec='microseconds')}Z"


def time(value: Any, path: str, _unknown: list[str]) -> str | None:
    """Read a Time: RFC 3339; comes back in UTC in whole seconds."""
    if value is None:
        return None
    if not isinstance(value, str):
        raise _wrong(value, path, "type string")
    if not (match := _TIME.fullmatch(value)):
        layout = "2006-01-02T15:04:05Z07:00"
        raise WrongTypeError(f'parsing time "{value}" as "{layout}": cannot parse "{value}"')
    return f"{_moment(match, value).replace(tzinfo=None).isoformat(timespec='seconds')}Z"


def _members(value: Any, path: str, wanted: str) -> dict[str, Any]:
    if value is not None and not isinstance(value, dict):
        raise _wrong(value, path, wanted)
    return value or {}


def texts(value: Any, path: str, unknown: list[str]) -> dict[str, str] | None:
    """Read a map of strings; a null value becomes the empty string, as in Go."""
    members = _members(value, path, "type map[string]string")
    return {key: text_pointer(one, path, unknown) or "" for key, one in members.items()} or None


def blobs(value: Any, path: str, unknown: list[str]) -> dict[str, str] | None:
    """Read a map of base64 texts."""
    found = texts(value, path, unknown)
    try:
        for one in (found or {}).values():
            base64.b64decode(one, validate=True)
    except (binascii.Error, ValueError) as exc:
        raise WrongTypeError(f"illegal base64 data in {path}: {exc}") from exc
    return found


def listed(reader: Reader) -> Reader:
    """Return a reader of lists of one type."""

    def read(value: Any, path: str, unknown: list[str]) -> list[Any] | None:
        if value is not None and not isinstance(value, list):
            raise _wrong(value, path, "type array")
        return [reader(one, f"{path}[{i}]", unknown) for i, one in enumerate(value or [])] or None

    return read


def struct(fields: dict[str, Reader], *, closed: bool = True, always: bool = False) -> Reader:
    """Return a reader of objects; not ``closed`` keeps unknown members, ``always`` shows ``{}``."""

    def read(value: Any, path: str, unknown: list[str]) -> dict[str, Any] | None:
        out: dict[str, Any] = {}
        for name, member in _members(value, path, "a struct type").items():
            where = f"{path}.{name}" if path else name
            reader = fields.get(name)
            if reader is None:
                if closed:
                    unknown.append(where)
                else:
                    out[name] = orjson.loads(orjson.dumps(member))  # a copy of our own
            elif (clean := reader(member, where, unknown)) is not None:
                out[name] = clean
        return out if out or always else None

    return read


def ignored(_value: Any, _path: str, _unknown: list[str]) -> None:
    """Drop a field that is known."""


_OWNER = struct(
    {
        "apiVersion": text_pointer, "kind": text_pointer, "name": text_pointer,
        "uid": text_pointer, "controller": boolean, "blockOwnerDeletion": boolean,
    }
)  # fmt: skip
METADATA = struct(
    {
        "name": text, "generateName": text, "namespace": text, "selfLink": text, "uid": text,
        "resourceVersion": text, "generation": integer(64), "creationTimestamp": time,
        "deletionTimestamp": time, "deletionGracePeriodSeconds": integer(64), "labels": texts,
        "annotations": texts, "ownerReferences": listed(_OWNER), "finalizers": listed(text_pointer),
        "managedFields": ignored,
    },
    always=True,
)  # fmt: skip
_TOP: dict[str, Reader] = {"kind": text, "apiVersion": text, "metadata": METADATA}
_LEASE_SPEC = struct(
    {
        "holderIdentity": text_pointer, "leaseDurationSeconds": integer(32),
        "acquireTime": micro_time, "renewTime": micro_time, "leaseTransitions": integer(32),
        "strategy": ignored, "preferredHolder": ignored,  # behind a gate that is off in 1.36
    },
    always=True,
)  # fmt: skip
_SERIES = struct({"lastObservedTime": micro_time}, closed=False)
_KINDS: dict[str, Reader] = {
    "Lease": struct({**_TOP, "spec": _LEASE_SPEC}),
    "ConfigMap": struct({**_TOP, "data": texts, "binaryData": blobs, "immutable": boolean}),
    "Secret": struct(
        {**_TOP, "data": blobs, "stringData": texts, "immutable": boolean, "type": text}
    ),
    "Event": struct(
        {
            **_TOP, "eventTime": micro_time, "firstTimestamp": time, "lastTimestamp": time,
            "deprecatedFirstTimestamp": time, "deprecatedLastTimestamp": time, "series": _SERIES,
        },
        closed=False,
    ),
}  # fmt: skip
_OPEN = struct(
    {**_TOP, "spec": struct({}, closed=False), "status": struct({}, closed=False)}, closed=False
)


def read(resource: Resource, obj: Any) -> tuple[dict[str, Any], list[str]]:
    """Return the object as typed for its kind, and the paths of the fields that it does not know.

    Raises ``ApiError`` 400 for a wrong type.
    """
    unknown: list[str] = []
    try:
        clean = _KINDS.get(resource.kind, _OPEN)(obj, "", unknown) or {}
    except WrongTypeError as exc:
        kind = resource.kind
        raise errors.bad_request(
            f'{kind} in version "{resource.version}" cannot be handled as a {kind}: {exc}'
        ) from exc
    clean.setdefault("metadata", {})
    if resource.kind == "Lease":
        clean.setdefault("spec", {})
    return clean, unknown
