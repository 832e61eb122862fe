"""What an agent's claims may ask for: their priority, and the Pod of the load.

What holds a slot goes on, whatever is wrong with its request: neither an outage nor a changed
setting ends a load that runs. It only gets no other Pod than the one that it has.
"""

from __future__ import annotations

import asyncio
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any

import structlog

from coordinator.api.access import CALLER
from coordinator.api.exchange import COORDINATOR, service_problem
from coordinator.api.problems import Problem
from coordinator.service.errors import NotConfirmed, PodElsewhere

if TYPE_CHECKING:
    from collections.abc import Sequence

    from aiohttp import web

    from coordinator.core.access import Admissions, AgentPod
    from coordinator.core.messages import Ask
    from coordinator.core.model import PodRef
    from coordinator.service.callers import Callers
    from coordinator.service.desk import Known
    from coordinator.service.pool import Pool

MOST_LOOKS = 20
"""Pods that are looked for in one request; the other new claims are asked for again."""
LOOK_TIME = 2.0
"""Seconds for these looks: the renewals in the same request wait for them."""
OLDEST = 120.0
"""Seconds of earlier arrival that a ticket is worth to a claim which this leader does not know,
where the namespace has a highest priority. Anybody can write a ticket, and age counts as priority;
after a change of leader those who have one come within seconds."""

log = structlog.get_logger("coordinator.callers")


@dataclass(slots=True)
class Judged:
    """The claims as they may go to the table, and a problem for each of the others, by claim."""

    asks: list[Ask] = field(default_factory=list)
    problems: dict[str, Problem] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Claimant:
    """An agent that asks for slots of its node. `most` is the highest priority that it may have;
    `confirmed` is False while nobody can say that its token is still good.
    """

    agent: AgentPod
    confirmed: bool
    most: int | None
    callers: Callers
    admissions: Admissions
    pool: Pool
    node: str

    async def judge(self, asks: Sequence[Ask]) -> Judged:
        """Each of the claims by itself, in the same order."""
        owner = self.agent.owner
        asks = [ask if ask.terms.owner == owner else _with(ask, owner=owner) for ask in asks]
        found = [self._known(ask) for ask in asks]
        to_look = [
            ask for ask, known in zip(asks, found, strict=True) if self._is_to_look(ask, known)
        ]
        missing: dict[str, Problem] = {}
        if to_look:
            missing = await self._not_seen(to_look)
            found = [self._known(ask) for ask in asks]
        judged = Judged()
        for ask, known in zip(asks, found, strict=True):
            problem = missing.get(ask.claim)
            if known is not None and known.holds:
                keep = not self._has_seen(ask, known) and (problem or not self.confirmed)
                judged.asks.append(_with(ask, pod=known.pod) if keep else ask)
            elif wrong := self._at_fault(ask) or problem:
                judged.problems[ask.claim] = wrong
            else:
                judged.asks.append(ask if known else self._dated(ask))
        return judged

    async def judge_one(self, ask: Ask) -> Ask:
        """The claim as it may go to the table. Raises `Problem`."""
        judged = await self.judge([ask])
        for problem in judged.problems.values():
            raise problem
        return judged.asks[0]

    def _dated(self, ask: Ask) -> Ask:
        oldest = None if self.most is None else self.pool.ticket_of(OLDEST)
        return ask._replace(ticket=max(ask.ticket, oldest)) if ask.ticket and oldest else ask

    def _known(self, ask: Ask) -> Known | None:
        desk = self.pool.desks.get(self.node)
        return desk.known(ask.claim) if desk is not None else None

    def _is_to_look(self, ask: Ask, known: Known | None) -> bool:
        if not self.confirmed or self._has_seen(ask, known):
            return False
        return (known is not None and known.holds) or not self._at_fault(ask)

    def _has_seen(self, ask: Ask, known: Known | None) -> bool:
        """Whether it is known already that the load's Pod, if it has one, is on this node."""
        pod, agent = ask.terms.pod, self.agent
        if pod is None or (known is not None and pod == known.pod):
            return True
        return (pod.namespace, pod.name) == (agent.namespace, agent.name) and pod.uid in {
            "",
            agent.uid,
        }

    def _at_fault(self, ask: Ask) -> Problem | None:
        """What stands against a claim that does not hold, whatever its Pod."""
        if not self.confirmed:
            return _not_confirmed(ask.claim)
        if self.most is not None and ask.terms.priority > self.most:
            return self._too_high(ask)
        return None

    def _too_high(self, ask: Ask) -> Problem:
        pool, own = self.pool.namespace, self.agent.namespace
        detail = (
            f"Pods of namespace {own} may ask for a priority of at most {self.most} in pool {pool}"
            f" (the coordinator's --clients {pool}/{own}:{self.most})"
        )
        return Problem(
            "forbidden", f"priority {ask.terms.priority}: {detail}", fields=(("priority", detail),)
        )

    async def _not_seen(self, asks: Sequence[Ask]) -> dict[str, Problem]:
        """What stands against those whose Pod is not seen on this node."""
        problems = {ask.claim: _not_confirmed(ask.claim) for ask in asks}
        looks = [
            asyncio.create_task(self._look(ask.claim, ask.terms.pod, problems))
            for ask in asks[:MOST_LOOKS]
            if ask.terms.pod is not None
        ]
        try:
            await asyncio.wait(looks, timeout=LOOK_TIME)
        finally:
            for look in looks:
                look.cancel()
        await asyncio.gather(*(look for look in looks if look.done() and not look.cancelled()))
        return problems

    async def _look(self, claim: str, pod: PodRef, problems: dict[str, Problem]) -> None:
        try:
            self._require_own(pod)
            await self.callers.require_pod_on(pod, self.node)
        except NotConfirmed as error:
            problems[claim] = service_problem(error)
        except PodElsewhere as error:
            self._tell(claim, pod, str(error))
            problems[claim] = Problem("forbidden", f"pod: {error}", fields=(("pod", str(error)),))
        else:
            del problems[claim]

    def _tell(self, claim: str, pod: PodRef, reason: str) -> None:
        place = {"namespace": self.pool.namespace, "node": self.node}
        log.info("claim refused", **place, claim=claim, pod=str(pod), reason=reason)

    def _require_own(self, pod: PodRef) -> None:
        """A guest's loads run in its own namespace: nobody learns here which Pods others have, or
        gets Events written on them.
        """
        own, pool = self.agent.namespace, self.pool.namespace
        admitted = own == pool and self.admissions.admits(pool, pod.namespace)
        if pod.namespace != own and not admitted:
            raise PodElsewhere(
                f"the Pod {pod} is not in your namespace {own}; only agents of"
                " the pool's own namespace may name Pods of others, which may claim in the pool"
            )


def _with(ask: Ask, **changes: Any) -> Ask:
    return ask._replace(terms=replace(ask.terms, **changes))


def _not_confirmed(claim: str) -> Problem:
    what = "who asks, or where its Pod runs, cannot be confirmed right now"
    return Problem("not-confirmed", f"claim {claim}: {what}; what holds goes on, ask again")


def owner_of(request: web.Request) -> str:
    """Whose claims alone the caller may end; "" for anybody's."""
    caller = request.get(CALLER)
    return caller.agent.owner if caller is not None and caller.agent is not None else ""


def claimant(request: web.Request, pool: Pool, node: str) -> Claimant | None:
    """Who asks for slots of the node; None with `--auth none`, when anybody may."""
    coordinator = request.app[COORDINATOR]
    caller = request.get(CALLER)
    if coordinator.callers is None or caller is None or caller.agent is None:
        return None
    most = coordinator.admissions.max_priority(pool.namespace, caller.agent.namespace)
    admissions = coordinator.admissions
    return Claimant(
        caller.agent, caller.confirmed, most, coordinator.callers, admissions, pool, node
    )
