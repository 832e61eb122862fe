"""Who is asking, and what they may do: the API server's word, remembered for a short while.

A token made for `node-slots` and bound to a Pod is an agent's. Every other token that the API
server accepts is a person's or a tool's, also one that is bound to a Pod: an agent shows that it
means this coordinator. Whatever cannot be found out is refused, but for one thing: while the API
server is away, a caller seen before comes back unconfirmed, so that what it holds goes on.
"""

from __future__ import annotations

import asyncio
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import structlog

from coordinator.core.access import AUDIENCE, Caller, agent_of
from coordinator.kube import errors
from coordinator.kube.calls import resource_path
from coordinator.kube.reviews import access_review, token_review
from coordinator.service.ends import ended
from coordinator.service.errors import NotConfirmed, PodElsewhere, Unauthenticated
from coordinator.service.line import Away, Line, Outage
from coordinator.service.reports import StreamReports
from coordinator.service.tokens import Key, Refusal, Tokens

if TYPE_CHECKING:
    from collections.abc import Callable, Collection
    from random import Random

    from coordinator.core.access import Action, Admissions, AgentPod
    from coordinator.core.model import PodRef
    from coordinator.kube.client import KubeClient
    from coordinator.service.metrics import Metrics

LANES = 10
"""Questions of one kind at a time. Tokens seen before have lanes of their own, so that no flood of
unknown ones keeps a holder waiting: 20 reviews of tokens in all. And an outage of their own: a
stranger's token may be one over which the API server fails (an authenticating webhook is away)."""
WORTHLESS = 0.2
"""Seconds for which a refused token keeps its lane shut: 50 such tokens a second at most."""
DENIED = 0.05
"""Seconds for which a denied right keeps its lane shut: 200 such questions a second at most."""
LONGEST = 16_384
"""Characters of a token, each a printable one of ASCII (RFC 6750)."""
GET_TIMEOUT = 5.0

NOT_ACCEPTED = (
    "the API server accepts this token neither for the audience node-slots nor as one of its own:"
    " it is not a token, has expired, was made for something else, or its Pod or ServiceAccount is"
    " gone"
)
POD_GONE = "the Pod that this token is bound to is gone, or is another one by that name"
POD_FINISHED = "the Pod that this token is bound to has finished"
UNSCHEDULED = "the Pod that this token is bound to runs on no node yet"

_Pod = dict[str, Any]
_Answer = Caller | Refusal | Away


class Callers:
    """Asks the API server about callers, with the coordinator's own rights.

    `now` is a clock that only moves on; `rng` spreads retries.
    """

    def __init__(
        self,
        client: KubeClient,
        admissions: Admissions,
        *,
        metrics: Metrics,
        now: Callable[[], float],
        rng: Random,
    ) -> None:
        self._client = client
        self._metrics = metrics
        self._now = now
        self._log = structlog.get_logger("coordinator.callers")
        reports = StreamReports(self._log)
        self._strangers, self._known, self._access = (
            Line(Outage(resource, now, rng, reports), LANES)
            for resource in ("tokenreviews", "tokenreviews of known tokens", "subjectaccessreviews")
        )
        self._pods = {
            namespace: Line(Outage(f"pods in {namespace}", now, rng, reports), LANES)
            for namespace in admissions.namespaces()
        }
        self._tokens = Tokens(now)
        self._flights: dict[Key, asyncio.Task[_Answer]] = {}

    # --- who it is --------------------------------------------------------------------------------

    async def identify(self, token: str) -> Caller:
        """Whose token it is. Raises `Unauthenticated`, and `NotConfirmed` when nobody can tell."""
        if not (0 < len(token) <= LONGEST and token.isascii() and token.isprintable()):
            raise Unauthenticated(NOT_ACCEPTED)
        key = self._tokens.key(token)
        answer: _Answer | None = self._tokens.fresh(key)
        if answer is None:
            answer = await asyncio.shield(self._flight(key, token))
        if isinstance(answer, Refusal):
            raise Unauthenticated(answer.why)
        if isinstance(answer, Away):
            return self._unconfirmed(key, answer)
        return answer

    def _unconfirmed(self, key: Key, away: Away) -> Caller:
        seen = self._tokens.seen(key)
        if seen is None:
            raise NotConfirmed(f"{away.why}, so nobody knows whose token this is", away.retry_after)
        return replace(seen, confirmed=False)

    def _flight(self, key: Key, token: str) -> asyncio.Task[_Answer]:
        """The one review of this token that is under way; it goes on if who asked first leaves."""
        flight = self._flights.get(key)
        if flight is None:
            flight = self._flights[key] = asyncio.create_task(self._review(key, token))
            flight.add_done_callback(lambda _done: self._flights.pop(key))
        return flight

    async def _review(self, key: Key, token: str) -> _Answer:
        is_new = self._tokens.seen(key) is None
        line = self._strangers if is_new else self._known
        sent = self._now()
        answer = await line.ask(lambda: self._ask(token), _pause)
        if isinstance(answer, Caller) and answer.agent is not None:
            answer = await self._placed(answer, answer.agent, sent, is_new=is_new)
        self._metrics.reviewed("token", _result(answer))
        if isinstance(answer, Refusal):
            self._log.info("token refused", reason=answer.why)
        if not isinstance(answer, Away):
            self._tokens.put(key, answer)
        return answer

    async def _ask(self, token: str) -> Caller | Refusal:
        """First as an agent's, then as one for the API server itself. Raises `ApiError`."""
        identity = await token_review(self._client, token, [AUDIENCE])
        if identity is not None and AUDIENCE in identity.audiences:
            return replace(identity.caller, agent=agent_of(identity.caller))
        identity = await token_review(self._client, token)
        return identity.caller if identity is not None else Refusal(NOT_ACCEPTED)

    async def _placed(self, caller: Caller, pod: AgentPod, sent: float, *, is_new: bool) -> _Answer:
        """The agent with its node, which API servers before 1.32 do not tell.

        A Pod is looked at with its first token, and after its end: for the API server a token is
        good until the Pod is deleted, also that of one which finished, where nobody asks any more.
        Pods of other namespaces cannot be looked at, and may claim nowhere: they are on no node.
        """
        ours = pod.namespace in self._pods
        if not ours or (pod.node and not is_new and not self._tokens.in_doubt(pod, sent)):
            return caller
        found = await self._look_at(pod)
        if isinstance(found, Away):
            return found
        if found is None or found["metadata"].get("uid") != pod.uid:
            return Refusal(POD_GONE)
        if _finished(found):
            return Refusal(POD_FINISHED)
        node = found["spec"].get("nodeName")
        return replace(caller, agent=replace(pod, node=node)) if node else Refusal(UNSCHEDULED)

    async def _look_at(self, pod: AgentPod) -> _Pod | Away | None:
        """The agent's Pod, looked at once more where its end was told of meanwhile."""
        while True:
            begun = self._now()
            found = await self._look(pod.namespace, pod.name)
            if not self._tokens.gone_since(pod, begun):
                return found

    # --- what it may do ---------------------------------------------------------------------------

    async def permits(self, caller: Caller, action: Action) -> bool:
        """Whether RBAC lets the caller do that, asked anew each time. Raises `NotConfirmed`."""
        if not caller.confirmed:
            raise NotConfirmed("the API server cannot be asked, so nobody knows what you may do")
        answer = await self._access.ask(
            lambda: access_review(self._client, caller, action),
            lambda told: DENIED if told is False else 0.0,
        )
        self._metrics.reviewed("access", _result(answer))
        if isinstance(answer, Away):
            raise NotConfirmed(f"{answer.why}, so nobody knows what you may do", answer.retry_after)
        if not answer:
            about = action.path or action.namespace
            self._log.info("access denied", user=caller.username, verb=action.verb, about=about)
        return answer

    async def require_pod_on(self, pod: PodRef, node: str) -> None:
        """Make sure that a claim's Pod runs on the claim's node.

        Raises `PodElsewhere`, and `NotConfirmed` when the API server cannot be asked.
        """
        if pod.namespace not in self._pods:
            raise PodElsewhere(
                f"the Pod {pod} is in a namespace that this coordinator does not serve (--clients)"
            )
        found = await self._look(pod.namespace, pod.name)
        if isinstance(found, Away):
            why = f"{found.why}, so nobody knows where Pod {pod} runs"
            raise NotConfirmed(why, found.retry_after)
        fault = _misplaced(found, pod, node)
        if fault:
            raise PodElsewhere(f"the Pod {pod} {fault}")

    async def _look(self, namespace: str, name: str) -> _Pod | Away | None:
        """The Pod; None when there is none by that name."""
        path = resource_path("pods", namespace, name)

        async def get() -> _Pod | None:
            try:
                return await self._client.request("GET", path, timeout=GET_TIMEOUT)
            except errors.NotFound:
                return None

        return await self._pods[namespace].ask(get)

    # --- what the leader hears --------------------------------------------------------------------

    def begin_reign(self) -> None:
        """This replica leads from now on; what happened to Pods before, it was not told."""
        self._tokens.age_agents()

    def pod_gone(self, uid: str) -> None:
        """A Pod was deleted or has finished: its token is reviewed anew, if it comes again."""
        self._tokens.pod_gone(uid)

    def pods_listed(self, namespace: str, uids: Collection[str]) -> None:
        """Every Pod of that namespace that has not finished: the others' tokens are dropped."""
        self._tokens.pods_listed(namespace, uids)


def _pause(answer: Caller | Refusal | Away) -> float:
    return WORTHLESS if isinstance(answer, Refusal) else 0.0


def _result(answer: _Answer | bool) -> str:
    if isinstance(answer, Away):
        return "unknown"
    return "refused" if answer is False or isinstance(answer, Refusal) else "accepted"


def _finished(found: _Pod) -> bool:
    """Whether nothing of the Pod runs any more, its sidecars neither, as its kubelet says."""
    phase = (found.get("status") or {}).get("phase")
    return phase in {"Succeeded", "Failed"} and ended(found)


def _misplaced(found: _Pod | None, pod: PodRef, node: str) -> str:
    """What is wrong with naming this Pod for a load on that node; "" when nothing is."""
    if found is None:
        return "does not exist"
    uid, runs_on = found["metadata"].get("uid"), found["spec"].get("nodeName")
    if pod.uid and uid != pod.uid:
        return f"has another uid than {pod.uid}: it was made anew"
    if not runs_on:
        return "is not scheduled yet: name it once it runs"
    return "" if runs_on == node else f"does not run on node {node}, where the slot is asked for"
