"""Plain data as the text of a CEL expression, as Kubernetes takes it."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

WIDTH = 88
"""Characters of a line, as far as texts allow."""
STEP = "  "


class Code(str):
    """A text that is an expression itself, of type string."""

    __slots__ = ()


def literal(value: Any, indent: str = "", before: str = "") -> str:
    """The expression for texts, numbers, booleans, lists and mappings.

    A list or mapping has elements of one type in Kubernetes' CEL: where they differ, each is made
    `dyn`. `indent` is that of the line, `before` what stands on it. Raises TypeError for anything
    else.
    """
    match value:
        case Code():
            return str(value)
        case str() | bool() | int():
            return json.dumps(value)
        case list():
            return _enclosed("[]", _elements(value, indent + STEP), indent, before)
        case dict():
            return _enclosed("{}", _entries(value, indent + STEP), indent, before)
    raise TypeError(f"no CEL for {value!r}")


def _elements(values: list[Any], indent: str) -> list[str]:
    call = _call(values)
    return [_called(call, value, indent) for value in values]


def _entries(values: Mapping[str, Any], indent: str) -> list[str]:
    call = _call(values.values())
    return [_called(f"{json.dumps(key)}: {call}", value, indent) for key, value in values.items()]


def _call(values: Iterable[Any]) -> str:
    return "dyn(" if _kind_of_all(values) == "dyn" else ""


def _called(before: str, value: Any, indent: str) -> str:
    closing = ")" if before.endswith("(") else ""
    return before + literal(value, indent, before) + closing


def _enclosed(brackets: str, parts: list[str], indent: str, before: str) -> str:
    opening, closing = brackets[0], brackets[1]
    short = opening + ", ".join(parts) + closing
    if "\n" not in short and len(indent + before + short) < WIDTH:
        return short
    lines = ",\n".join(f"{indent}{STEP}{part}" for part in parts)
    return f"{opening}\n{lines}\n{indent}{closing}"


def _kind_of_all(values: Iterable[Any]) -> str:
    kinds = {_kind(value) for value in values}
    return kinds.pop() if len(kinds) == 1 else "dyn"


def _kind(value: Any) -> str:
    match value:
        case list():
            return f"list({_kind_of_all(value)})"
        case dict():
            return f"map({_kind_of_all(value.values())})"
        case str():
            return "string"
    return type(value).__name__
