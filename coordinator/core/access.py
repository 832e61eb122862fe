"""Who a caller is, and which Pods may claim in which pool."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping


@dataclass(frozen=True, slots=True)
class ClientNamespace:
    """A namespace whose Pods may claim in `pool`, up to `max_priority` (None: any)."""

    pool: str
    namespace: str
    max_priority: int | None = None


@dataclass(frozen=True, slots=True)
class AgentPod:
    """The Pod that a projected token is bound to, and the node that it runs on."""

    namespace: str
    service_account: str
    name: str
    uid: str
    node: str

    @property
    def owner(self) -> str:
        """Whose claims these are: only the same service account on the same node may touch them."""
        return f"{self.namespace}/{self.service_account}"


@dataclass(frozen=True, slots=True)
class Caller:
    """Whom a token belongs to, as TokenReview told.

    `agent` is there when the token is a Pod's own, made for this coordinator. `confirmed` is False
    while the API server cannot be asked and the token was seen before: then what is held goes on,
    and nothing new begins.
    """

    username: str
    uid: str = ""
    groups: tuple[str, ...] = ()
    extra: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    agent: AgentPod | None = None
    confirmed: bool = True


@dataclass(frozen=True, slots=True)
class Action:
    """What a SubjectAccessReview is asked about; `path` is a nonResourceURL, else it is Leases."""

    verb: str
    namespace: str = ""
    path: str = ""
