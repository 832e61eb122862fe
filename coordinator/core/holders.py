"""Whether a holder is dead: by its silence, its Pod and its agent's restarts (design section 7).

No timer alone decides that a load that may still run is over: once its TTL has passed, a look at
its Pod does. A look is one GET; each claim has one at a time, and at most one a second.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

from coordinator.core import messages as m
from coordinator.core.model import Cause, Verdict

if TYPE_CHECKING:
    from coordinator.core.claims import Claim
    from coordinator.core.slots import NodeTable

SPACING = 1.0
"""Seconds between two looks at one claim's Pod."""
HURRY = 10.0
"""Seconds for which the Pod of a load that its agent calls ending is looked at each second: the
kubelet's status comes a moment after its SIGTERM, and no watch needs to tell of it."""
_RHYTHM = 3
"""Agents speak this many times per TTL."""


def judge(table: NodeTable, claim: Claim, now: float) -> None:
    """A silent holder without a Pod has lost its slot; of one with a Pod, the Pod is looked at."""
    if claim.leaving or not claim.silent(now):
        return
    grace, ttl = table.policy.unresponsive_timeout, claim.terms.ttl
    if claim.terms.pod is None:
        _reclaim(table, claim, Cause.EXPIRED, f"not renewed for {ttl} s", now)
    elif grace is not None and now >= claim.renewed + ttl + grace:
        _reclaim(table, claim, Cause.UNRESPONSIVE, f"unresponsive for {grace:g} s", now)
    elif now >= claim.look.due and not claim.look.under_way:
        look_at(table, claim, now)


def look_at(table: NodeTable, claim: Claim, now: float) -> None:
    """Have the claim's Pod looked at as soon as may be, after whatever happened until now."""
    pod = claim.terms.pod
    if pod is None:
        return
    look = claim.look
    if look.under_way:
        look.again = True
        return
    look.under_way, look.again = True, False
    look.last = max(now, look.last + SPACING)
    table.say(m.Examine(claim.id, pod, look.last, claim.silent(now)))


def hear(claim: Claim, now: float, *, ending: bool) -> None:
    """The agent speaks for a holder. Who has said that it goes, and speaks again, is back."""
    if ending or claim.ending:
        claim.look.hurried = now + HURRY if ending else -math.inf
    claim.ending = ending


def pod_changed(table: NodeTable, e: m.PodChanged, now: float) -> bool:
    """Something happened to the Pod of a claim; of interest where that one holds."""
    claim = table.roll.claims.get(e.claim)
    if claim is not None and _holds(table, claim):
        look_at(table, claim, now)
    return False


def evidence(table: NodeTable, e: m.Evidence, now: float) -> bool:
    """What a look showed frees the slot, or it is looked at again in a while."""
    claim = table.roll.claims.get(e.claim)
    if claim is None:
        return False
    look = claim.look
    look.under_way = False
    if e.pod == claim.terms.pod:
        claim.pod_found = claim.pod_found or e.found
        look.due = now if e.verdict is Verdict.UNJUDGED else now + table.policy.recheck
        if _holds(table, claim):
            _weigh(table, claim, e.verdict, now)
    if (look.again or now < look.hurried) and _holds(table, claim):
        look_at(table, claim, now)
    return True


def _holds(table: NodeTable, claim: Claim) -> bool:
    return not claim.leaving and claim.id in table.picture.named


def _weigh(table: NodeTable, claim: Claim, verdict: Verdict, now: float) -> None:
    found = cause_of(claim, verdict, now)
    if found is not None:
        _reclaim(table, claim, *found, now)
    elif verdict is not Verdict.UNJUDGED:
        claim.unresponsive = claim.silent(now)


def cause_of(claim: Claim, verdict: Verdict, now: float) -> tuple[Cause, str] | None:
    """Why what its Pod showed frees its slot now; None while it does not."""
    if verdict is Verdict.FINISHED:
        return Cause.FINISHED, "its Pod has finished"
    if verdict is Verdict.UNJUDGED or not claim.silent(now):
        return None
    silence = f"not renewed for {claim.terms.ttl} s"
    if not claim.pod_found:
        return Cause.EXPIRED, f"{silence}, and its Pod was never seen"
    if verdict is Verdict.ABSENT:
        return Cause.POD_GONE, f"{silence}, and its Pod is gone"
    if verdict is Verdict.RUNNING and not claim.confirmed:
        return Cause.UNCONFIRMED, f"{silence}, and its grant was never confirmed"
    if verdict is Verdict.RUNNING and now >= claim.deserted:
        return Cause.DESERTED, f"{silence}, and its restarted agent does not know it any more"
    return None


def restarted(table: NodeTable, e: m.Restarted, now: float) -> bool:
    """An agent is back under a new boot: what it does not name was left behind with the old one.

    Its loads may only just find it again, so they have one round of their renewals from now, also
    where the agent was away for longer than their TTL.
    """
    for claim in table.roll.claims.values():
        said = claim.speaker
        if said is None or said == e.speaker or claim.deserted < math.inf:
            continue
        if (said.agent, said.owner) == (e.speaker.agent, e.speaker.owner):
            wait = min(table.policy.presence, claim.terms.ttl / _RHYTHM)
            claim.deserted = claim.look.due = now + wait
    return False


def _reclaim(table: NodeTable, claim: Claim, cause: Cause, reason: str, now: float) -> None:
    why = "finished" if cause is Cause.FINISHED else "expired"
    load, pod = claim.terms.load, claim.terms.pod
    lease = table.picture.slots_of(claim.id)[0].lease
    claim.finished = pod if cause is Cause.FINISHED else None
    table.roll.part(claim, why, now, reason)
    if lease is not None:
        expected = claim.ending and cause in {Cause.FINISHED, Cause.POD_GONE}
        table.say(m.Reclaimed(claim.id, load, cause, reason, lease, pod, expected))
