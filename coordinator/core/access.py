"""Who a caller is, and which Pods may claim in which pool."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

AUDIENCE = "node-slots"
"""What an agent's token is made for. The API server itself refuses such a token, so nobody who gets
hold of one can do anything else with it."""

_ACCOUNT = "system:serviceaccount:"
_EXTRA = "authentication.kubernetes.io/"


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


class Admissions:
    """Which namespaces' Pods may claim in which pool: its own, and those named for it."""

    def __init__(self, pools: Iterable[str], clients: Iterable[ClientNamespace] = ()) -> None:
        self._most: dict[str, dict[str, int | None]] = {pool: {pool: None} for pool in pools}
        for client in clients:
            self._add(client)

    def _add(self, client: ClientNamespace) -> None:
        """Of two bounds for one namespace the lower one is in force."""
        of_pool = self._most.setdefault(client.pool, {client.pool: None})
        bounds = [client.max_priority, of_pool.get(client.namespace)]
        of_pool[client.namespace] = min((one for one in bounds if one is not None), default=None)

    def admits(self, pool: str, namespace: str) -> bool:
        """Whether Pods of that namespace may claim in that pool."""
        return namespace in self._most.get(pool, {})

    def max_priority(self, pool: str, namespace: str) -> int | None:
        """The highest priority that they may ask for; None: any."""
        return self._most.get(pool, {}).get(namespace)

    def namespaces(self) -> list[str]:
        """Every pool's and every client's namespace, sorted."""
        return sorted({name for of_pool in self._most.values() for name in of_pool})


def agent_of(caller: Caller) -> AgentPod | None:
    """The Pod that a reviewed service account's token is bound to; None when it is bound to none.

    `node` is "" where the API server does not tell it (before Kubernetes 1.32). Whatever is not
    exactly as the API server writes it is no Pod's token.
    """
    namespace, _, account = caller.username.removeprefix(_ACCOUNT).partition(":")
    name, uid = _only(caller, "pod-name"), _only(caller, "pod-uid")
    is_account = caller.username.startswith(_ACCOUNT) and namespace and account
    if not (is_account and name and uid):
        return None
    return AgentPod(namespace, account, name, uid, _only(caller, "node-name"))


def _only(caller: Caller, key: str) -> str:
    values = caller.extra.get(_EXTRA + key, ())
    return values[0] if len(values) == 1 else ""
