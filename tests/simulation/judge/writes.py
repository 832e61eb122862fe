"""What a request to the API server would do to a slot, read from its bytes."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import orjson

from tests.simulation.judge.facts import look

if TYPE_CHECKING:
    from tests.simulation.api import Sent

ELECTION = "node-slots-coordinator"
LEASE_CALLS = "leases.coordination.k8s.io"


def of_election(sent: Sent) -> bool:
    """Whether the request is about the election's Lease, not about a slot's."""
    if sent.method == "POST":
        return sent.call.resource == LEASE_CALLS and ELECTION.encode() in (sent.body or b"")
    return sent.call.name == ELECTION or ELECTION in sent.params.get("fieldSelector", "")


def steps_down(sent: Sent) -> bool:
    """Whether the request gives leadership up: from its sending on its process does not lead."""
    if not (sent.writes_lease and sent.method == "PUT" and of_election(sent)):
        return False
    return not orjson.loads(sent.body or b"{}")["spec"].get("holderIdentity")


@dataclass(frozen=True, slots=True)
class GrantSent:
    """A write that gives a slot to a claim: its token is the version that it replaces."""

    name: str
    node: str
    ordinal: int
    claim: str
    version: int
    uid: str

    @property
    def key(self) -> tuple[str, int, str]:
        return (self.name, self.version, self.claim)

    def __str__(self) -> str:
        return f"the grant of {self.name} v{self.version} to {self.claim}"


def grant_of(sent: Sent) -> GrantSent | None:
    """The grant that this request writes; None for every other request."""
    if not sent.writes_lease or sent.body is None:
        return None
    if "grant" not in sent.notes:
        sent.notes["grant"] = _grant(sent)
    found: GrantSent | None = sent.notes["grant"]
    return found


def _grant(sent: Sent) -> GrantSent | None:
    body = orjson.loads(sent.body or b"{}")
    if sent.method not in {"PUT", "POST"}:
        return None
    seen = look(body)
    if seen is None or not seen.claim or seen.token != seen.version:
        return None
    return GrantSent(seen.name, seen.node, seen.ordinal, seen.claim, seen.version, seen.uid)
