"""What may be said when asking for a slot; one list for the client and its blocking twin."""

from __future__ import annotations

import math
import os
from typing import TYPE_CHECKING, Any, TypedDict

from agent_client.messages import Terms
from agent_client.session import RELEASE_TIMEOUT, IfUnavailable, Patience, Session

if TYPE_CHECKING:
    from collections.abc import Callable

    from agent_client.messages import Pod, Queued


class Wish(TypedDict, total=False):
    """What may be said of each of several slots."""

    priority: int
    ttl: int
    pod: Pod | None
    if_unavailable: IfUnavailable
    unavailable_after: float
    release_timeout: float
    on_queued: Callable[[Queued], None] | None
    on_lost: Callable[[Any], object] | None
    """Gets the slot: an `AsyncSlot` or a `BlockingSlot`, as its client makes them."""
    on_unconfirmed: Callable[[Any], object] | None


class Asking(Wish, total=False):
    """The keyword arguments of `slot`; its docstring tells what they mean."""

    timeout: float | None
    claim: str | None


def new_session(load: str, asking: Asking, pod: Pod | None) -> Session:
    """A session for one claim; `pod` is taken where the caller names none."""
    terms = Terms(
        claim=asking.get("claim") or os.urandom(16).hex(),
        load=load,
        priority=asking.get("priority", 0),
        ttl=asking.get("ttl", 60),
        pod=asking.get("pod") or pod,
    )
    timeout = asking.get("timeout")
    patience = Patience(
        timeout=math.inf if timeout is None else timeout,
        if_unavailable=asking.get("if_unavailable", "wait"),
        unavailable_after=asking.get("unavailable_after", 30.0),
        release_timeout=asking.get("release_timeout", RELEASE_TIMEOUT),
    )
    return Session(terms, patience)
