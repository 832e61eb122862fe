"""One named load of the sidecar, and what time and its clients do to it. Pure."""

from __future__ import annotations

from dataclasses import dataclass, replace
from math import inf
from typing import TYPE_CHECKING

from agent_client.session import Session, State
from agent_client.sidecar.lines import problem_of

if TYPE_CHECKING:
    from agent_client.messages import Granted
    from agent_client.sidecar.requests import Wish


@dataclass(slots=True, eq=False)
class Entry:
    """One named load. It gets another `session` with each generation."""

    wish: Wish
    key: str
    """What its claim ids have in common."""
    generation: int
    since: float
    session: Session
    grant: Granted | None = None
    """What it had before the sidecar restarted, or when it was let go."""
    spoken: bool = False
    """Whether the client speaks for the session, or did until it was over."""
    adopted: bool = False
    """Whether it is from before a restart."""
    stated: bool = True
    """Whether a client has said since then, by a PUT, what it wants."""
    named: bool = True
    """Whether a client has asked for it since then."""

    @property
    def load(self) -> str:
        """The load's name."""
        return self.wish.load

    @property
    def lone(self) -> bool:
        """Whether it waits, or runs without a slot, and the coordinator has not been asked."""
        return not (self.spoken or self.adopted)

    @property
    def dormant(self) -> bool:
        """Whether it is from before a restart, and nobody speaks for it."""
        return self.adopted and not self.spoken

    @property
    def over(self) -> bool:
        """Whether it ended, and its client is still to be told how."""
        return problem_of(self.session) is not None

    @property
    def changes_alone_at(self) -> float:
        """When `wait_alone` has something to do; infinity when it never has."""
        if not (self.lone and self.session.state is State.WAITING):
            return inf
        patience = self.session.patience
        never = patience.if_unavailable == "wait"
        unavailable = inf if never else self.session.asked_at + patience.unavailable_after
        return min(self.session.next_change, unavailable)

    def wait_alone(self, now: float) -> bool:
        """Let a lone load wait. Returns whether it runs without a slot from now on."""
        if now < self.changes_alone_at:
            return False
        self.session.elapse(now)
        if self.session.state is not State.WAITING:
            return False
        if self.session.patience.if_unavailable == "fail":
            self.session.give_up()
            return False
        self.session.run_without()
        return True

    def state(self, wish: Wish) -> None:
        """A client says what it wants of a load from before a restart.

        The load may have another Pod by now, of which the coordinator is to know: the end of the
        Pod of an earlier life proves nothing.
        """
        pod = wish.pod or self.wish.pod
        self.wish, self.stated = replace(wish, pod=pod), True
        self.session.patience = wish.patience
        self.session.terms = replace(self.session.terms, pod=pod)

    def differs(self, key: str, wish: Wish) -> str:
        """The field in which `wish`, of the key `key`, is not this load; "" when it is."""
        has = self.wish
        pod = self.stated and wish.pod is not None and has.pod != wish.pod
        differs = (
            (self.key != key, "uid"),
            (has.priority != wish.priority, "priority"),
            (has.ttl != wish.ttl, "ttlSeconds"),
            (pod, "pod"),
        )
        return next((field for different, field in differs if different), "")
