"""The nouns that every layer shares: a claim's terms, a holder, a Lease as the core sees it."""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping

MIN_TTL, DEFAULT_TTL, MAX_TTL = 10, 60, 3600
"""Seconds. A claim's time to live lies between the outer two; the middle one is the default."""


class Verdict(Enum):
    """What a look at a claim's Pod showed (design section 7)."""

    FINISHED = "finished"
    ABSENT = "absent"
    """404 or another uid, and its node is Ready."""
    UNREACHABLE = "unreachable"
    """Not seen to have ended, and its node is not Ready or gone."""
    RUNNING = "running"
    UNJUDGED = "unjudged"
    """Not seen to have ended; its node was not asked, since its agent renews."""


class Cause(Enum):
    """Why a slot is taken back from its holder."""

    FINISHED = "finished"
    EXPIRED = "expired"
    """Silent, and no Pod of it is known."""
    POD_GONE = "pod-gone"
    UNCONFIRMED = "unconfirmed"
    """Silent since the grant, which nobody may have heard of."""
    DESERTED = "agent-restarted"
    """Silent, and its restarted agent names it no more."""
    UNRESPONSIVE = "unresponsive"
    """Silent for the unresponsive timeout on top of its TTL."""


@dataclass(frozen=True, slots=True)
class Speaker:
    """The agent that speaks for a claim. `boot` is another one after each restart."""

    agent: str
    boot: str
    owner: str = ""


@dataclass(frozen=True, slots=True)
class PodRef:
    """The Pod in which a load runs. `uid` may be unknown ("")."""

    namespace: str
    name: str
    uid: str = ""

    def __str__(self) -> str:
        """NAMESPACE/NAME, as people name it."""
        return f"{self.namespace}/{self.name}"


@dataclass(frozen=True, slots=True)
class Terms:
    """What a claim asks for. The same claim id with another load, priority or TTL is refused."""

    load: str
    priority: int = 0
    ttl: int = DEFAULT_TTL
    pod: PodRef | None = None
    owner: str = ""
    """Whose the claim is, as "NAMESPACE/SERVICEACCOUNT"; "" where nobody knows."""

    def agrees_with(self, other: Terms) -> bool:
        """Whether both describe one claim; the Pod may differ, it is adopted.

        Its owner is judged before this (`owners`).
        """
        return (self.load, self.priority, self.ttl) == (other.load, other.priority, other.ttl)


@dataclass(frozen=True, slots=True)
class Holder:
    """Who has a slot, as its Lease says it."""

    claim: str
    terms: Terms
    token: int
    """The fencing token: the resourceVersion that the grant's write replaced."""
    acquired: str = ""
    """`spec.acquireTime` as it stands in the Lease, for display only."""


@dataclass(frozen=True, slots=True)
class Lease:
    """One slot's Lease as far as decisions need it.

    `version` is the resourceVersion as an integer (comparable since Kubernetes 1.35 documents it;
    etcd revisions before). `foreign` says why the name is not ours to touch, `rest` keeps the
    metadata that others wrote (labels, annotations, finalizers, owners), so that a write by us
    carries it on.
    """

    name: str
    uid: str
    version: int
    holder: Holder | None = None
    transitions: int = 0
    terminating: bool = False
    foreign: str = ""
    rest: Mapping[str, object] | None = None

    @property
    def taken(self) -> bool:
        """Whether the slot counts against the limit: somebody has it, or it is not ours."""
        return self.holder is not None or self.terminating or bool(self.foreign)
