"""Label and field selectors of list and watch requests."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from coordinator.embedded import errors, names

if TYPE_CHECKING:
    from coordinator.embedded.resources import Resource

Object = dict[str, Any]
Matcher = Callable[[Object], bool]

_SET = re.compile(r"\s*(\S+?)\s+(in|notin)\s*\(([^)]*)\)\s*", re.ASCII)
_PAIR = re.compile(r"\s*([^\s=!<>,()]+)\s*(==|=|!=|>|<)\s*([^\s=!<>,()]*)\s*", re.ASCII)
_BARE = re.compile(r"\s*(!?)\s*([^\s=!<>,()]+)\s*", re.ASCII)
_COMMA = re.compile(r",(?![^(]*\))")


def _labels_of(obj: Object) -> dict[str, str]:
    found: dict[str, str] = obj["metadata"].get("labels") or {}
    return found


def _compared(key: str, sign: str, bound: str) -> Matcher:
    limit = int(bound)

    def matches(obj: Object) -> bool:
        try:
            value = int(_labels_of(obj)[key])
        except (KeyError, ValueError):
            return False
        return value > limit if sign == ">" else value < limit

    return matches


def _checked(key: str, values: list[str]) -> None:
    wrong = names.qualified(key) + [why for value in values for why in names.label_value(value)]
    if wrong:
        raise ValueError(f'key or value of "{key}": {wrong[0]}')


def _label_matcher(part: str) -> Matcher:
    if match := _SET.fullmatch(part):
        key, word, inner = match.groups()
        values = [one.strip() for one in inner.split(",")]
        _checked(key, values)
        wanted = frozenset(values)
        return lambda obj: (_labels_of(obj).get(key) in wanted) == (word == "in")
    if match := _PAIR.fullmatch(part):
        key, sign, value = match.groups()
        _checked(key, [value])
        if sign in "<>":
            return _compared(key, sign, value)
        return lambda obj: (_labels_of(obj).get(key) == value) == (sign != "!=")
    if match := _BARE.fullmatch(part):
        absent, key = match.groups()
        _checked(key, [])
        return lambda obj: (key in _labels_of(obj)) != bool(absent)
    raise ValueError(f'found "{part}", expected a key, an operator and its values')


def labels(selector: str) -> list[Matcher]:
    """Return the matchers of a label selector; raises ``ApiError`` 400 for an unreadable one."""
    if not selector.strip():
        return []
    try:
        return [_label_matcher(part) for part in _COMMA.split(selector)]
    except ValueError as exc:
        raise errors.bad_request(f"unable to parse requirement: {exc}") from exc


def value_at(obj: Object, path: str) -> str:
    """Return the text at a dotted path, the empty string where there is none."""
    found: Any = obj
    for name in path.split("."):
        found = found.get(name) if isinstance(found, dict) else None
    if isinstance(found, bool):
        return str(found).lower()
    return "" if found is None else str(found)


# What the real server indexes for an absent value.
_ABSENT = {"spec.unschedulable": "false", "spec.hostNetwork": "false"}


def _field_matcher(resource: Resource, part: str) -> Matcher:
    match = re.fullmatch(r"\s*([^=!]+?)\s*(==|=|!=)(.*)", part)
    if not match:
        raise errors.bad_request(f"invalid field selector: {part}; can't understand '{part}'")
    name, sign, value = match.groups()
    known = {"metadata.name", *resource.fields}
    if resource.namespaced:
        known.add("metadata.namespace")
    if name not in known:
        raise errors.bad_request(f"field label not supported: {name}")
    path = "source.component" if name == "source" else name
    absent = _ABSENT.get(name, "")
    return lambda obj: ((value_at(obj, path) or absent) == value) == (sign != "!=")


def fields(resource: Resource, selector: str) -> list[Matcher]:
    """Return the matchers of a field selector.

    Raises ``ApiError`` 400 for an unreadable one and for a field that the kind does not index.
    """
    return [_field_matcher(resource, part) for part in selector.split(",") if part.strip()]


def both(resource: Resource, label_selector: str = "", field_selector: str = "") -> list[Matcher]:
    """Return the matchers of both selectors; an object must pass them all."""
    return labels(label_selector) + fields(resource, field_selector)
