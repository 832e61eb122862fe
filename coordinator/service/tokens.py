"""What is remembered of reviewed tokens: a bounded memory that no token can be read from.

An accepted token is believed for as long as the kubelet's own webhook cache believes one, then
asked about again. Its entry outlives that: while the API server is away it tells a caller seen
before from a stranger. What the Pod watch says ends an entry at once.
"""

from __future__ import annotations

import hashlib
import secrets
from collections import OrderedDict
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable, Collection

    from coordinator.core.access import AgentPod, Caller

ACCEPTED, REFUSED = 120.0, 10.0
"""Seconds for which the API server's word is taken as it was."""
MOST_ACCEPTED, MOST_REFUSED, MOST_GONE = 20_000, 2_000, 10_000
"""Entries; beyond, the longest unused ones are forgotten. An agent has one token, or two."""
DOUBT = 30.0
"""Seconds after a Pod's end in which its token's review is not enough: the API server answers up to
10 s from a cache of its own (`TokenSuccessCacheTTL`)."""

_NEVER = float("-inf")

Key = bytes
"""A keyed hash of a token."""


@dataclass(frozen=True, slots=True)
class Refusal:
    """The API server does not accept the token, or its Pod is gone; `why` is a sentence."""

    why: str


@dataclass(slots=True)
class _Accepted:
    caller: Caller
    until: float


class Tokens:
    """`now` is a clock that only moves on, in seconds."""

    def __init__(self, now: Callable[[], float]) -> None:
        self._now = now
        self._secret = secrets.token_bytes(32)
        self._accepted: OrderedDict[Key, _Accepted] = OrderedDict()
        self._refused: OrderedDict[Key, tuple[Refusal, float]] = OrderedDict()
        self._of_pod: dict[str, dict[Key, None]] = {}
        self._gone: OrderedDict[str, float] = OrderedDict()
        self._listed: dict[str, tuple[Collection[str], float]] = {}

    def key(self, token: str) -> Key:
        """What stands for the token here."""
        return hashlib.blake2b(token.encode(), key=self._secret, digest_size=32).digest()

    def __len__(self) -> int:
        return len(self._accepted) + len(self._refused)

    # --- what was answered ------------------------------------------------------------------------

    def fresh(self, key: Key) -> Caller | Refusal | None:
        """What the API server said a short while ago; None when it has to be asked."""
        accepted = self._accepted.get(key)
        if accepted is not None:
            self._accepted.move_to_end(key)
            return accepted.caller if self._now() < accepted.until else None
        refusal, until = self._refused.get(key, (None, 0.0))
        return refusal if self._now() < until else None

    def seen(self, key: Key) -> Caller | None:
        """Whose token it was when it was last accepted, however long ago."""
        accepted = self._accepted.get(key)
        return accepted.caller if accepted is not None else None

    def put(self, key: Key, answer: Caller | Refusal) -> None:
        """Remember what the API server says now."""
        self._forget(key)
        if isinstance(answer, Refusal):
            self._refused[key] = answer, self._now() + REFUSED
            while len(self._refused) > MOST_REFUSED:
                self._refused.popitem(last=False)
            return
        self._accepted[key] = _Accepted(answer, self._now() + ACCEPTED)
        if answer.agent is not None:
            self._of_pod.setdefault(answer.agent.uid, {})[key] = None
        while len(self._accepted) > MOST_ACCEPTED:
            self._forget(next(iter(self._accepted)))

    def _forget(self, key: Key) -> None:
        self._refused.pop(key, None)
        accepted = self._accepted.pop(key, None)
        if accepted is None or accepted.caller.agent is None:
            return
        uid = accepted.caller.agent.uid
        self._of_pod[uid].pop(key)
        if not self._of_pod[uid]:
            del self._of_pod[uid]

    # --- what the Pod watch says ------------------------------------------------------------------

    def pod_gone(self, uid: str) -> None:
        """Nothing that was said of this Pod's tokens counts any more."""
        for key in tuple(self._of_pod.get(uid, ())):
            self._forget(key)
        self._gone.pop(uid, None)
        self._gone[uid] = self._now()
        while len(self._gone) > MOST_GONE:
            self._gone.popitem(last=False)

    def pods_listed(self, namespace: str, uids: Collection[str]) -> None:
        """These are all Pods of the namespace that have not finished."""
        self._listed[namespace] = uids, self._now()
        for agent in [one.caller.agent for one in self._accepted.values()]:
            if agent is not None and agent.namespace == namespace and agent.uid not in uids:
                self.pod_gone(agent.uid)

    def age_agents(self) -> None:
        """Ask about each agent's token again before it is believed."""
        for entry in self._accepted.values():
            if entry.caller.agent is not None:
                entry.until = self._now()

    def in_doubt(self, pod: AgentPod, since: float) -> bool:
        """Whether a review that was sent at `since` may have overlooked the end of this Pod."""
        return since < self._told_gone(pod) + DOUBT

    def gone_since(self, pod: AgentPod, since: float) -> bool:
        """Whether the end of this Pod was told after that: what was seen before counts no more."""
        return since < self._told_gone(pod)

    def _told_gone(self, pod: AgentPod) -> float:
        """When it was last told that this Pod is gone."""
        uids, listed = self._listed.get(pod.namespace, ((), _NEVER))
        return max(self._gone.get(pod.uid, _NEVER), _NEVER if pod.uid in uids else listed)
