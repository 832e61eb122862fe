"""Why something waits, as lines for people: the sentence first, then what it was made of. Pure."""

from __future__ import annotations

from textwrap import wrap
from typing import TYPE_CHECKING, Any

from coordinator.kubectl.table import UNKNOWN, age, count, fields, plain, table

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

Json = dict[str, Any]

HOLDERS = ("SLOT", "STATE", "LOAD", "POD", "AGE", "SILENT", "LEASE")
LINE = 66
"""Characters of a line of running text, beside the names of fields."""
QUEUE = ("PLACE", "LOAD", "POD", "PRIORITY", "WAITING", "ASKING", "CLAIM")


def claim_lines(node: str, claim: Mapping[str, Any], *, headers: bool = True) -> list[str]:
    """A claim's state with its `why`, as `GET claim` answers it."""
    why = claim.get("why") or {}
    lines = [plain(str(why.get("sentence") or claim.get("reason") or "")), ""]
    lines += fields(_facts(node, claim, why))
    if claim.get("state") != "granted":
        holders = [holder_row(one) for one in why.get("holders") or []]
        lines += section("Who holds the node's slots", HOLDERS, holders, headers=headers)
    ahead = [queue_row(one) for one in why.get("ahead") or []]
    lines += section("Who is ahead in the queue", QUEUE, ahead, headers=headers)
    if left := int(why.get("aheadCount") or 0) - len(ahead):
        lines.append(f"and {count(left, 'claim')} more")
    return lines


def _facts(node: str, claim: Mapping[str, Any], why: Json) -> Iterator[tuple[str, object]]:
    yield "Claim", claim.get("claim")
    yield "Load", claim.get("load")
    yield "Pod", claim.get("pod") or ""
    yield "Node", node
    yield "Priority", claim.get("priority")
    yield from _held(claim) if claim.get("state") == "granted" else _waits(claim, why)
    yield "Limit", limit(why.get("limit"), str(why.get("decidedBy") or ""))
    yield "Draining", why.get("draining") or None
    yield "Unresponsive", why.get("unresponsive") or None
    yield "Config", config(why)


def _held(claim: Mapping[str, Any]) -> Iterator[tuple[str, object]]:
    yield "Slot", claim.get("slot")
    yield "Lease", claim.get("lease")
    yield "Held for", age(claim.get("heldSeconds"))
    yield "Last heard of", f"{age(claim.get('silentSeconds'))} ago"


def _waits(claim: Mapping[str, Any], why: Json) -> Iterator[tuple[str, object]]:
    yield "Position", f"{why.get('position') or claim.get('position')} of {why.get('queued')}"
    yield "Waiting for", age(why.get("waitedSeconds"))
    yield "Asked for", "yes" if claim.get("present", True) else "no: nobody asks for it any more"
    yield "Estimate", estimate(why)


def section(
    title: str, header: tuple[str, ...], rows: list[list[object]], *, headers: bool
) -> list[str]:
    """A titled table with an empty line before it; nothing without rows."""
    return ["", f"{title}:", *table(header, rows, headers=headers)] if rows else []


def holder_row(holder: Mapping[str, Any]) -> list[object]:
    """Under `HOLDERS`."""
    return [
        holder.get("slot"),
        holder.get("state"),
        holder.get("load"),
        holder.get("pod"),
        age(holder.get("heldSeconds")),
        age(holder.get("silentSeconds")),
        holder.get("lease"),
    ]


def queue_row(waiting: Mapping[str, Any]) -> list[object]:
    """Under `QUEUE`."""
    return [
        waiting.get("position"),
        waiting.get("load"),
        waiting.get("pod"),
        waiting.get("priority"),
        age(waiting.get("waitedSeconds")),
        "yes" if waiting.get("present") else "no",
        waiting.get("claim"),
    ]


def limit(number: object, decided_by: str) -> str:
    """The limit and what decides it."""
    if number is None:
        return UNKNOWN
    return f"{number} ({decided_by})" if decided_by else str(number)


def estimate(why: Mapping[str, Any], what: str = "estimate") -> str:
    """How long it takes yet, with its spread, and by which method; or why nobody can say."""
    found = why.get(what)
    if not found:
        return str(why.get("estimateAbsent") or UNKNOWN)
    told = f"about {_spread(found)}"
    return "\n".join([told, *wrap(str(found.get("method") or ""), LINE)])


def typical(found: Mapping[str, Any] | None) -> str | None:
    """How long loads of the node held a slot; None where it is not known."""
    return _spread(found) if found else None


def _spread(found: Mapping[str, Any]) -> str:
    low, high = age(found["lowSeconds"]), age(found["highSeconds"])
    return f"{age(found['seconds'])} ({low} to {high}, from {count(found['samples'], 'load')})"


def config(why: Mapping[str, Any]) -> str | None:
    """What is wrong with the newest ConfigMap; None while it is in force."""
    found = why.get("config")
    if not found:
        return None
    return f"refused since {found.get('refusedSince')}: {found.get('error')}"
