"""Lists: selectors, pages, continue tokens, and lists of the past."""

from __future__ import annotations

import base64
import binascii
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import orjson

from coordinator.embedded import errors, selectors

if TYPE_CHECKING:
    from collections.abc import Callable

    from coordinator.embedded.history import Entry, History
    from coordinator.embedded.resources import Resource

_EXPIRED = (
    "The provided continue parameter is too old to display a consistent list result. You can "
    "start a new list without the continue parameter, or use the continue token in this response "
    "to retrieve the remainder of the results, as they are now."
)
_AS_OF_NOW = -1


@dataclass(frozen=True)
class Query:
    """What a list or watch asks for; the fields are the query parameters of the same names."""

    namespace: str = ""
    name: str = ""
    label_selector: str = ""
    field_selector: str = ""
    limit: int = 0
    continue_token: str = ""
    resource_version: str = ""
    resource_version_match: str = ""

    @property
    def selective(self) -> bool:
        """Tell whether a selector narrows the list."""
        return bool(self.label_selector or self.field_selector)


@dataclass(frozen=True)
class Page:
    """A page of a list; ``entries`` are in the order of their keys."""

    version: int
    entries: list[Entry] = field(default_factory=list)
    continue_token: str = ""
    remaining: int | None = None


def parse_version(text: str, refuse: Callable[[str], errors.ApiError] = errors.fault) -> int:
    """Return a resourceVersion as a number, 0 for none; raises what ``refuse`` makes.

    The real server takes a version that is no number for a fault of its own (500), except in lists.
    """
    if text and not (text.isascii() and text.isdigit()):
        raise refuse(f'Invalid value: "{text}": the resourceVersion is not a number')
    return int(text or 0)


def _token(version: int, start: str) -> str:
    content = orjson.dumps({"v": "meta.k8s.io/v1", "rv": version, "start": start})
    return base64.urlsafe_b64encode(content).rstrip(b"=").decode()


def _read_token(token: str) -> tuple[int, str]:
    try:
        padded = token + "=" * (-len(token) % 4)
        content = orjson.loads(base64.b64decode(padded, altchars=b"-_", validate=True))
        return int(content["rv"]), str(content["start"])
    except (binascii.Error, ValueError, KeyError, TypeError) as exc:
        raise errors.bad_request(f"continue key is not valid: {exc}") from exc


def _check(query: Query) -> None:
    causes = []
    match, version = query.resource_version_match, query.resource_version
    if match and match not in {"Exact", "NotOlderThan"}:
        causes.append(
            errors.Cause(
                "FieldValueNotSupported",
                "resourceVersionMatch",
                f'Unsupported value: "{match}": supported values: "Exact", "NotOlderThan", ""',
            )
        )
    elif match and query.continue_token:
        why = "resourceVersionMatch is forbidden when continue is provided"
        causes.append(errors.forbidden_field("resourceVersionMatch", why))
    elif match and not version:
        why = "resourceVersionMatch is forbidden unless resourceVersion is provided"
        causes.append(errors.forbidden_field("resourceVersionMatch", why))
    elif match == "Exact" and version == "0":
        why = 'resourceVersionMatch "Exact" is forbidden for resourceVersion "0"'
        causes.append(errors.forbidden_field("resourceVersionMatch", why))
    if causes:
        raise errors.invalid("meta.k8s.io", "ListOptions", "", causes)


def _start(query: Query, current: int) -> tuple[int, str]:
    """Return the version to list at and the first key of the page."""
    if query.continue_token:
        if query.resource_version not in {"", "0"}:
            raise errors.bad_request(
                "specifying resource version is not allowed when using continue"
            )
        version, start = _read_token(query.continue_token)
        return (current if version == _AS_OF_NOW else version), start
    asked = parse_version(query.resource_version, errors.bad_request)
    if asked > current:
        raise errors.version_too_large(asked, current)
    # A limited list at a version is one of exactly that version, as it always was.
    exact = query.resource_version_match == "Exact" or (
        asked > 0 and query.limit > 0 and not query.resource_version_match
    )
    return (asked if exact else current), ""


def page(
    resource: Resource, table: dict[str, Entry], history: History, current: int, query: Query
) -> Page:
    """Return the page that a query asks for.

    Raises ``ApiError``: 400 for an unreadable selector, token or version, 410 for a version that is
    compacted, 422 for options that do not go together, 504 for a version that is yet to come.
    """
    _check(query)
    matchers = selectors.both(resource, query.label_selector, query.field_selector)
    version, start = _start(query, current)
    if version != current:
        try:
            table = history.rewind(resource, table, version)
        except errors.ApiError as exc:
            if not query.continue_token:
                raise
            raise errors.expired(_EXPIRED, _token(_AS_OF_NOW, start)) from exc
    prefix = f"{query.namespace}/" if query.namespace else ""
    keys = sorted(key for key in table if key.startswith(prefix) and key >= start)
    chosen: list[Entry] = []
    for at, key in enumerate(keys):
        if query.limit and len(chosen) == query.limit:
            left = None if query.selective else len(keys) - at
            return Page(version, chosen, _token(version, f"{keys[at - 1]}\0"), left)
        found = table[key]
        if all(matches(found.view) for matches in matchers):
            chosen.append(found)
    return Page(version, chosen)
