"""How answers look: whole objects, their metadata only, or a table, as ``Accept`` asks."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import orjson

from coordinator.embedded import conversion, errors, tables

if TYPE_CHECKING:
    from collections.abc import Callable
    from datetime import datetime

    from coordinator.embedded.history import Entry
    from coordinator.embedded.listing import Page
    from coordinator.embedded.resources import Resource

Object = dict[str, Any]

_META = "meta.k8s.io/v1"
_JSON_TYPES = {"application/json", "*/*"}
LIST_OF_PARTIALS = "PartialObjectMetadataList"
_SHAPES = {
    "": "whole",
    "PartialObjectMetadata": "partial",
    LIST_OF_PARTIALS: "partial",
    "Table": "table",
}


def _parameters(parts: list[str]) -> dict[str, str]:
    pairs = (part.strip().partition("=") for part in parts)
    return {name.strip(): value.strip() for name, _, value in pairs}


def asked_kind(accept: str) -> str:
    """Return the kind that an ``Accept`` header asks to be shown, empty for the kind itself.

    It is the first offer that can be kept; raises ``ApiError`` 406 when none can.
    """
    for offer in accept.split(",") if accept.strip() else ["*/*"]:
        media, *parts = offer.split(";")
        wanted = _parameters(parts)
        kind = wanted.get("as", "")
        known = not kind or (wanted.get("g"), wanted.get("v")) == ("meta.k8s.io", "v1")
        if media.strip() in _JSON_TYPES and known and kind in _SHAPES:
            return kind
    raise errors.not_acceptable()


def shape(accept: str, *, of_list: bool = False) -> str:
    """Return ``whole``, ``partial`` or ``table``.

    Raises ``ApiError`` 406 when that cannot be, or when it asks for a list of what is none.
    """
    kind = asked_kind(accept)
    if kind == ("PartialObjectMetadata" if of_list else LIST_OF_PARTIALS):
        is_one = "a list" if of_list else "not a list"
        why = f"you requested {kind}, but the requested object is {is_one}"
        raise errors.ApiError(406, "NotAcceptable", why)
    return _SHAPES[kind]


def _partial(entry: Entry) -> Object:
    meta = entry.view["metadata"]
    return {"kind": "PartialObjectMetadata", "apiVersion": _META, "metadata": meta}


@dataclass(frozen=True)
class View:
    """A resource in one shape. ``include`` says what a table's rows carry."""

    resource: Resource
    shape: str
    now: Callable[[], datetime]
    include: str = "Metadata"

    def _row(self, entry: Entry) -> Object:
        row: Object = {"cells": tables.cells(self.resource.kind, entry.view, self.now())}
        if self.include == "Metadata":
            row["object"] = _partial(entry)
        elif self.include == "Object":
            row["object"] = orjson.Fragment(entry.whole(self.resource))
        return row

    def _table(self, meta: Object, entries: list[Entry], *, heads: bool = True) -> bytes:
        return orjson.dumps(
            {
                "kind": "Table",
                "apiVersion": _META,
                "metadata": meta,
                "columnDefinitions": tables.definitions(self.resource.kind) if heads else None,
                "rows": [self._row(one) for one in entries],
            }
        )

    def item(self, stored: Entry, *, heads: bool = True) -> bytes:
        """Return one object; ``heads`` False leaves a table's column definitions out."""
        shown = conversion.shown_entry(self.resource, stored)
        if self.shape == "table":
            return self._table({"resourceVersion": str(shown.version)}, [shown], heads=heads)
        if self.shape == "partial":
            return orjson.dumps(_partial(shown))
        return shown.whole(self.resource)

    def page(self, page: Page) -> bytes:
        """Return a page of a list."""
        entries = [conversion.shown_entry(self.resource, one) for one in page.entries]
        meta: Object = {"resourceVersion": str(page.version)}
        if page.continue_token:
            meta["continue"] = page.continue_token
        if page.remaining is not None:
            meta["remainingItemCount"] = page.remaining
        if self.shape == "table":
            return self._table(meta, entries)
        kind, version = f"{self.resource.kind}List", self.resource.group_version
        items: list[Any] = [orjson.Fragment(one.encoded) for one in entries]
        if self.shape == "partial":
            kind, version = LIST_OF_PARTIALS, _META
            items = [_partial(one) for one in entries]
        return orjson.dumps({"kind": kind, "apiVersion": version, "metadata": meta, "items": items})

    def event(self, kind: str, stored: Entry, *, first: bool) -> bytes:
        """Return one line of a watch; a table names its columns in the first one only."""
        return framed(kind, self.item(stored, heads=first))

    def bookmark(self, version: int, *, initial_end: bool = False) -> bytes:
        """Return the line that says up to where a watch has come."""
        meta: Object = {"resourceVersion": str(version)}
        if initial_end:
            meta["annotations"] = {"k8s.io/initial-events-end": "true"}
        kind, group_version = self.resource.kind, self.resource.group_version
        if self.shape == "partial":
            kind, group_version = "PartialObjectMetadata", _META
        elif self.shape == "table":
            kind, group_version = "Table", _META
        body: Object = {"kind": kind, "apiVersion": group_version, "metadata": meta}
        if self.shape == "table":
            body.update(columnDefinitions=None, rows=[])
        return framed("BOOKMARK", orjson.dumps(body))


def framed(kind: str, body: bytes) -> bytes:
    """Return one line of a watch stream."""
    return b'{"type":"' + kind.encode() + b'","object":' + body + b"}\n"
