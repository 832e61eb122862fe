"""What may be said when asking for a slot; one list for the client and its blocking twin."""

from __future__ import annotations

import math
import uuid
from typing import TYPE_CHECKING, TypedDict

from agent_client.messages import Terms
from agent_client.session import RELEASE_TIMEOUT, IfUnavailable, Patience, Session

if TYPE_CHECKING:
    from collections.abc import Callable

    from agent_client.messages import Pod, Queued


class Asking(TypedDict, total=False):
    """The keyword arguments of `slot`; its docstring tells what they mean."""

    priority: int
    timeout: float | None
    ttl: int
    claim: str | None
    pod: Pod | None
    if_unavailable: IfUnavailable
    unavailable_after: float
    release_timeout: float
    on_queued: Callable[[Queued], None] | None


def new_session(load: str, asking: Asking, pod: Pod | None) -> Session:
    """A session for one claim; `pod` is taken where the caller names none."""
    terms = Terms(
        claim=asking.get("claim") or uuid.uuid4().hex,
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
