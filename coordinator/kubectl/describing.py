"""One node as lines for people: what holds for it, its slots, its queue. Pure."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from coordinator.kubectl import why
from coordinator.kubectl.status import known, status
from coordinator.kubectl.table import fields, plain

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence

Json = dict[str, Any]

RULES = 10
"""Rules without a say that are named."""


def node_lines(node: Json, claims: Iterable[Json], *, headers: bool = True) -> list[str]:
    """The node as `GET node` tells it; `claims` say how long each has waited."""
    told = node.get("why") or {}
    waited = {one["claim"]: one.get("waitedSeconds") for one in claims}
    lines = [plain(str(told["sentence"])), ""] if told.get("sentence") else []
    lines += fields(_facts(node, told))
    slots = [_slot_row(slot, node.get("limit")) for slot in node.get("slots") or []]
    lines += why.section("Slots", why.HOLDERS, slots, headers=headers)
    details = [(slot["lease"], slot.get("detail")) for slot in node.get("slots") or []]
    lines += [f"{lease}: {plain(str(detail))}" for lease, detail in details if detail]
    queue = [
        why.queue_row({"waitedSeconds": waited.get(one["claim"]), **one})
        for one in node.get("queue") or []
    ]
    return lines + why.section("Queue", why.QUEUE, queue, headers=headers)


def _facts(node: Json, told: Json) -> Iterator[tuple[str, object]]:
    queue = node.get("queue")
    counts = {"unresponsive": _count(node, "unresponsive"), "hold": node.get("hold")}
    yield "Node", node["node"]
    yield "Status", status({**node, **counts})
    yield "Limit", why.limit(node.get("limit"), str(node.get("decidedBy") or ""))
    yield "Held", known(node.get("held"))
    yield "Waiting", known(None if queue is None else len(queue))
    yield "On hold", node.get("hold") or None
    yield "Kept for restores", node.get("restoreHeadroom")
    yield "Node cap", _cap(node.get("nodeCap"))
    yield "Config", why.config(told)
    if told:
        yield "Next grant", why.estimate(told, "nextGrant")
    yield "Loads hold", why.typical(told.get("typicalHeld"))
    yield "Also matched", _others(node)
    yield "Not matched", _skipped(node.get("skipped") or [])


def _count(node: Json, state: str) -> int:
    return sum(slot["state"] == state for slot in node.get("slots") or [])


def _cap(cap: Mapping[str, Any] | None) -> str | None:
    if not cap:
        return None
    taken = ", ".join(f"{pool} {number}" for pool, number in sorted(cap["taken"].items()))
    return f"{cap['cap']} in all pools together; taken: {taken or 'none'}"


def _others(node: Json) -> str | None:
    others = [rule for rule in node.get("matched") or [] if rule != node.get("decidedBy")]
    return "\n".join(others) or None


def _skipped(rules: Sequence[Mapping[str, Any]]) -> str | None:
    """Each rule without a say and why; of many the first ones."""
    told = [f"{one['rule']}: {str(one['reason']).removeprefix('not matching: ')}" for one in rules]
    if left := len(told) - RULES:
        told = [*told[:RULES], *([f"and {left} more"] if left > 0 else [])]
    return "\n".join(told) or None


def _slot_row(slot: Mapping[str, Any], limit: int | None) -> list[object]:
    holder = slot.get("holder") or {}
    row = {**holder, **slot, "state": _state(slot, limit)}
    cells = why.holder_row(row)
    if not holder:
        cells[2:6] = ["", "", "", ""]
    return cells


def _state(slot: Mapping[str, Any], limit: int | None) -> str:
    """A held slot over the limit drains: nobody takes it after its holder."""
    over = limit is not None and slot["slot"] >= limit
    return "draining" if slot["state"] == "held" and over else str(slot["state"])
