"""What a route is: what serves it, and what the OpenAPI document says of it."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Mapping

    from aiohttp import web
    from pydantic import BaseModel

    from coordinator.api.access import Need

    Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]

POOL = "/v1/namespaces/{namespace}"
NODE = POOL + "/nodes/{node}"
CLAIM = NODE + "/claims/{claim}"

POOL_PROBLEMS = ("malformed", "unknown-pool", "out-of-range", "no-leader")
"""What every route of a pool may answer; keys of `problems.KINDS`."""
BODY_PROBLEMS = ("request-timeout", "too-large", "unsupported-media-type", "overloaded")


@dataclass(frozen=True, slots=True)
class Reply:
    """One good answer: its status, what it means, its JSON type (None: text or nothing)."""

    status: int
    meaning: str
    type: Any = None
    example: object = None
    more: tuple[object, ...] = ()
    """Further examples, where the answer has several forms."""
    media: str = "application/json"
    events: Mapping[str, Any] = field(default_factory=dict)
    """The types of the data of server-sent events, by the events' names."""


@dataclass(frozen=True, slots=True)
class Parameter:
    """One parameter of the query; a `repeated` one may be given several times."""

    name: str
    schema: Mapping[str, object]
    meaning: str
    example: object = None
    repeated: bool = False


@dataclass(frozen=True, slots=True)
class Route:
    """One method of one path. `problems` are keys of `problems.KINDS`."""

    method: str
    path: str
    handler: Handler
    need: Need | None
    """What it takes to be let in; None: nobody is asked who it is."""
    replies: tuple[Reply, ...]
    problems: tuple[str, ...] = ()
    body: type[BaseModel] | None = None
    body_example: Mapping[str, object] = field(default_factory=dict)
    query: tuple[Parameter, ...] = ()
    headers: tuple[Parameter, ...] = ()
    """Request headers that change what is answered."""
    everywhere: bool = False
    """Answered by the replica that is asked, whoever leads."""
