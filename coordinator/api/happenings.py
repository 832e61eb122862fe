"""The JSON forms of happenings, and how each is sent as a server-sent event.

Times that tell how long something took are in seconds; null is what this leader did not see.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import orjson
from typing_extensions import TypedDict

from coordinator.api.answers import pod_name
from coordinator.api.reports import NodeSummaryJson, summary_json
from coordinator.core.happenings import (
    ConfigChanged,
    Granted,
    HandedOver,
    HoldChanged,
    LimitChanged,
    Reclaimed,
    Released,
)
from coordinator.kube.microtime import microtime

if TYPE_CHECKING:
    from coordinator.core.happenings import Happening, Party
    from coordinator.service.feed import Entry
    from coordinator.service.summaries import Summary


class PartyJson(TypedDict):
    """A claim, its load, and the load's Pod as NAMESPACE/NAME."""

    claim: str
    load: str
    pod: str | None


class _SlotEventJson(PartyJson):
    at: str
    node: str
    lease: str
    slot: int


class GrantEventJson(_SlotEventJson):
    """`grant`: a free slot was given, after `waitedSeconds` in this leader's queue."""

    token: int
    waitedSeconds: float


HandoverEventJson = TypedDict(
    "HandoverEventJson",
    {
        "at": str,
        "node": str,
        "lease": str,
        "slot": int,
        "claim": str,
        "load": str,
        "pod": str | None,
        "token": int,
        "waitedSeconds": float,
        "heldSeconds": float | None,
        "handoverSeconds": float,
        "from": PartyJson,
    },
)
"""`handover`: the slot went from one claim to the next; `heldSeconds` is how long the last holder
(`from`) had it, `handoverSeconds` how long the slot was nobody's.
"""


class ReleaseEventJson(_SlotEventJson):
    """`release`: the slot is free again."""

    heldSeconds: float | None


class ReclaimEventJson(_SlotEventJson):
    """`reclaim`: a slot is being taken back, for this cause; a release or hand-over follows."""

    cause: str
    reason: str


class LimitEventJson(TypedDict):
    """`limit`: a node's limit, or the rule that decides it, is another one."""

    at: str
    node: str
    before: int
    after: int
    rule: str


class HoldEventJson(TypedDict):
    """`hold`: a node was put on hold for a reason, or let go (`reason` is "")."""

    at: str
    node: str
    reason: str


class ConfigEventJson(TypedDict):
    """`config`: the ConfigMap was accepted (`error` is "") or refused; `version` is in force."""

    at: str
    version: str
    error: str


class HelloJson(TypedDict):
    """`hello`: what the stream is about; the first event of every stream."""

    term: int
    namespace: str


class ResetJson(TypedDict):
    """`reset`: something was missed, so everything is to be read anew."""

    reason: str


EVENTS: dict[str, Any] = {
    "hello": HelloJson,
    "reset": ResetJson,
    "grant": GrantEventJson,
    "handover": HandoverEventJson,
    "release": ReleaseEventJson,
    "reclaim": ReclaimEventJson,
    "limit": LimitEventJson,
    "hold": HoldEventJson,
    "config": ConfigEventJson,
    "node": NodeSummaryJson,
}
"""What `data` is, by the name of the event."""


def event_text(name: str, data: object, number: str = "") -> bytes:
    """One server-sent event. JSON has no line breaks of its own."""
    head = f"id: {number}\nevent: {name}\n" if number else f"event: {name}\n"
    return b"%bdata: %b\n\n" % (head.encode(), orjson.dumps(data))


def entry_text(entry: Entry, term: int) -> bytes:
    """The happening as it is sent, made once."""
    if not entry.text:
        name, data = happening_json(entry.happening, microtime(entry.at.timestamp()))
        entry.text = event_text(name, data, f"{term}.{entry.number}")
    return entry.text


def summary_text(summary: Summary) -> bytes:
    """The node's numbers as they are sent, made once."""
    if not summary.text:
        summary.text = event_text("node", summary_json(summary.counts))
    return summary.text


def happening_json(what: Happening, at: str) -> tuple[str, dict[str, object]]:
    """The event's name and its data."""
    match what:
        case Granted():
            return "grant", _slot(what, what.to, at) | _given(what)
        case HandedOver():
            more = {
                "heldSeconds": _seconds(what.held),
                "handoverSeconds": _seconds(what.seconds),
                "from": _party(what.by),
            }
            return "handover", _slot(what, what.to, at) | _given(what) | more
        case Released():
            return "release", _slot(what, what.by, at) | {"heldSeconds": _seconds(what.held)}
        case Reclaimed():
            why = {"cause": what.cause.value, "reason": what.reason}
            return "reclaim", _slot(what, what.by, at) | why
        case LimitChanged():
            limits = {"before": what.before, "after": what.after, "rule": what.rule}
            return "limit", {"at": at, "node": what.node} | limits
        case HoldChanged():
            return "hold", {"at": at, "node": what.node, "reason": what.reason}
        case ConfigChanged():
            return "config", {"at": at, "version": what.version, "error": what.error}


def _slot(
    what: Granted | HandedOver | Released | Reclaimed, party: Party, at: str
) -> dict[str, object]:
    where = {"at": at, "node": what.node, "lease": what.lease, "slot": what.slot}
    return where | _party(party)


def _party(party: Party) -> dict[str, object]:
    return {"claim": party.claim, "load": party.load, "pod": pod_name(party.pod)}


def _given(what: Granted | HandedOver) -> dict[str, object]:
    return {"token": what.token, "waitedSeconds": _seconds(what.waited)}


def _seconds(exact: float | None) -> float | None:
    return None if exact is None else round(exact, 3)
