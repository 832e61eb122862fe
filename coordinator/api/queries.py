"""Reading what stands after the question mark: names, choices, pages, each with its own error."""

from __future__ import annotations

import base64
from typing import TYPE_CHECKING, NoReturn

from pydantic import TypeAdapter, ValidationError

from coordinator.api.bodies import invalid
from coordinator.api.problems import Problem
from coordinator.api.schemas import NodeName

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping

    from multidict import MultiMapping

DEFAULT_PAGE, LONGEST_PAGE = 100, 500
"""Nodes or claims in one answer."""
MOST_NAMES = 500
"""Names of nodes in one request."""

_NODE: TypeAdapter[str] = TypeAdapter(NodeName)


def names(query: MultiMapping[str], name: str) -> frozenset[str]:
    """The nodes that are named, each once; empty where none is. Raises `Problem`."""
    found = frozenset(query.getall(name, ()))
    if len(found) > MOST_NAMES:
        refuse("out-of-range", name, f"at most {MOST_NAMES} nodes may be named")
    for node in sorted(found):
        try:
            _NODE.validate_python(node)
        except ValidationError as error:
            errors = error.errors(include_url=False, include_input=False)
            raise invalid(errors, f"query.{name}") from None
    return found


def choices(query: MultiMapping[str], name: str, allowed: Collection[str]) -> frozenset[str]:
    """Which of the allowed words are given; empty where none is. Raises `Problem`."""
    found = frozenset(query.getall(name, ()))
    if not found <= set(allowed):
        refuse("malformed", name, f"must be one of {', '.join(allowed)}")
    return found


def flag(query: Mapping[str, str], name: str) -> bool:
    """Whether it is 1; 0 is the same as nothing. Raises `Problem`."""
    text = query.get(name, "0")
    if text not in ("0", "1"):
        refuse("malformed", name, "must be 0 or 1")
    return text == "1"


def page_size(query: Mapping[str, str]) -> int:
    """How many are asked for. Raises `Problem`."""
    text = query.get("limit", str(DEFAULT_PAGE))
    if not (text.isascii() and text.isdigit()):
        refuse("malformed", "limit", "must be a whole number")
    if len(text) > 6 or not 1 <= int(text) <= LONGEST_PAGE:
        refuse("out-of-range", "limit", f"must be between 1 and {LONGEST_PAGE}")
    return int(text)


def page_mark(query: Mapping[str, str]) -> str:
    """Where the page before ended, as `mark_of` made it; "" for the first. Raises `Problem`."""
    try:
        return base64.b64decode(query.get("continue", ""), altchars=b"-_", validate=True).decode()
    except ValueError:
        refuse_mark()


def mark_of(text: str) -> str:
    """What the next request brings back as `continue`."""
    return base64.urlsafe_b64encode(text.encode()).decode()


def refuse_mark() -> NoReturn:
    """Raise the `Problem` of a mark that no answer ever had."""
    refuse(
        "malformed",
        "continue",
        "is no `continue` of an earlier answer; leave it out to begin anew",
    )


def refuse(problem: str, field: str, detail: str) -> NoReturn:
    """Raise the `Problem` of this query parameter."""
    raise Problem(problem, f"query.{field}: {detail}", fields=((f"query.{field}", detail),))
