"""Leases and ConfigMaps as etcd stores them: protobuf, read without a schema of the whole.

Field numbers are those of `generated.proto` in `k8s.io/api` (coordination/v1, core/v1) and
apimachinery.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from coordinator.embedded.protobuf import _fields

_MAGIC = b"k8s\x00"
_RAW = 2
"""The object itself, in the envelope that every stored object has."""
_METADATA, _NAME, _ANNOTATIONS = 1, 1, 12
_DATA = 2
_SPEC, _HOLDER, _ACQUIRED = 2, 1, 3


@dataclass(frozen=True)
class StoredLease:
    """What the judge needs of a Lease. `acquired` is in seconds since the epoch; 0: never."""

    name: str
    notes: dict[str, str]
    holder: str
    acquired: float


def read_lease(value: bytes) -> StoredLease:
    """Raises ValueError or KeyError for anything that is no Lease."""
    body = _body(value)
    head, spec = dict(_fields(body[_METADATA])), dict(_fields(body.get(_SPEC, b"")))
    stamp = dict(_fields(spec.get(_ACQUIRED, b"")))
    return StoredLease(
        name=head[_NAME].decode(),
        notes=_texts(body[_METADATA], _ANNOTATIONS),
        holder=spec.get(_HOLDER, b"").decode(),
        acquired=stamp.get(1, 0) + stamp.get(2, 0) / 1e9,
    )


def read_config(value: bytes) -> dict[str, str]:
    """The data of a ConfigMap. Raises ValueError for anything that is none."""
    return _texts(value[len(_MAGIC) :], _RAW, _DATA)


def _body(value: bytes) -> dict[int, Any]:
    if not value.startswith(_MAGIC):
        raise ValueError("not an object that a kube-apiserver stored as protobuf")
    return dict(_fields(dict(_fields(value[len(_MAGIC) :]))[_RAW]))


def _texts(message: bytes, *way: int) -> dict[str, str]:
    """The map of strings at the end of this way of field numbers."""
    for number in way[:-1]:
        message = dict(_fields(message))[number]
    pairs = [dict(_fields(value)) for number, value in _fields(message) if number == way[-1]]
    return {pair.get(1, b"").decode(): pair.get(2, b"").decode() for pair in pairs}
