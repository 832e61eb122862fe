"""A node's numbers in one word for the STATUS column, and its row of the table. Pure."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from coordinator.kubectl.table import NONE, UNKNOWN, age

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    Summary = Mapping[str, Any]

HEADER = ("NODE", "STATUS", "LIMIT", "HELD", "WAITING", "OLDEST", "RULE")
WIDE = (*HEADER, "SELECTOR", "OVER", "UNRESPONSIVE", "HOLD")


def status(node: Summary) -> str:
    """Free, Full, OverLimit, NoSlots or Unknown; with OnHold and Unresponsive where they are."""
    told = [_fill(node)]
    if node.get("hold"):
        told.append("OnHold")
    if node.get("unresponsive"):
        told.append("Unresponsive")
    return ",".join(told)


def _fill(node: Summary) -> str:
    limit, held = node.get("limit"), node.get("held") or 0
    if limit is None:
        return "Unknown"
    if held > limit:
        return "OverLimit"
    if limit == 0:
        return "NoSlots"
    return "Full" if held == limit else "Free"


def busy(node: Summary) -> bool:
    """Whether there is anything to see: a holder, somebody who waits, a hold."""
    return bool(node.get("held") or node.get("queued") or node.get("hold"))


def ordered(nodes: Iterable[Summary]) -> list[Summary]:
    """Those with the longest wait first, then those that need a look, then by name."""
    return sorted(nodes, key=_place)


def _place(node: Summary) -> tuple[float, int, int, str]:
    troubles = (node.get("unresponsive") or 0) + bool(node.get("hold"))
    return (
        -float(node.get("longestWaitSeconds") or 0),
        -int(node.get("queued") or 0),
        -troubles,
        str(node["node"]),
    )


def row(node: Summary, *, wide: bool = False) -> list[object]:
    """The cells of a node, under `HEADER` or `WIDE`."""
    rule, selector = split_rule(str(node.get("decidedBy") or ""))
    cells: list[object] = [
        node["node"],
        status(node),
        known(node.get("limit")),
        known(node.get("held")),
        known(node.get("queued")),
        oldest(node),
        rule or UNKNOWN,
    ]
    if wide:
        cells += [selector, _over(node), known(node.get("unresponsive")), node.get("hold")]
    return cells


def _over(node: Summary) -> object:
    limit, held = node.get("limit"), node.get("held") or 0
    return UNKNOWN if limit is None else max(0, held - limit)


def oldest(node: Summary) -> str:
    """How long the first of those who wait has waited."""
    if node.get("queued") is None:
        return UNKNOWN
    return age(node.get("longestWaitSeconds")) if node["queued"] else NONE


def split_rule(decided_by: str) -> tuple[str, str]:
    """The rule's place in the ConfigMap, and its selector."""
    rule, _, selector = decided_by.partition(" ")
    return rule, selector


def known(value: object) -> object:
    """The value; `<unknown>` for null."""
    return UNKNOWN if value is None else value
