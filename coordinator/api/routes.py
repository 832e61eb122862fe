"""Every route in one table: what serves it, and what the OpenAPI document says of it."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from coordinator.api import access, admission, claims, examples, health, status, sync
from coordinator.api.admission import AdmissionReviewBody, AdmissionReviewJson
from coordinator.api.answers import GrantedJson, QueuedJson, SyncJson
from coordinator.api.reports import NodeJson, NodesJson, PoolJson, StatusJson
from coordinator.api.schemas import ClaimBody, SyncBody
from coordinator.injection.webhook import PATH as MOVERS

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    from aiohttp import web
    from pydantic import BaseModel

    from coordinator.api.access import Need

    Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]

_POOL = "/v1/namespaces/{namespace}"
_NODE = _POOL + "/nodes/{node}"
_CLAIM = _NODE + "/claims/{claim}"

_POOL_PROBLEMS = ("malformed", "unknown-pool", "out-of-range", "no-leader")
_NODE_PROBLEMS = (*_POOL_PROBLEMS, "unknown-node", "not-ready", "stopping", "node-not-seen")
_CLAIM_PROBLEMS = ("slot-lost", "released", "settling")
_REFUSALS = ("claim-mismatch", "pod-finished", "queue-full")
_BODY_PROBLEMS = ("request-timeout", "too-large", "unsupported-media-type", "overloaded")


@dataclass(frozen=True, slots=True)
class Reply:
    """One good answer: its status, what it means, its JSON type (None: text or nothing)."""

    status: int
    meaning: str
    type: Any = None
    example: object = None
    media: str = "application/json"


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
    body_example: dict[str, object] = field(default_factory=dict)
    query: tuple[tuple[str, dict[str, object], str], ...] = ()
    """Query parameters: name, schema, description."""
    everywhere: bool = False
    """Answered by the replica that is asked, whoever leads."""


API = (
    Route(
        "PUT",
        _CLAIM,
        claims.put_claim,
        access.CLAIM,
        (
            Reply(200, "The claim holds a slot.", GrantedJson, examples.GRANTED),
            Reply(202, "The claim waits; ask again.", QueuedJson, examples.QUEUED),
        ),
        (*_NODE_PROBLEMS, *_BODY_PROBLEMS, *_CLAIM_PROBLEMS, *_REFUSALS),
        body=ClaimBody,
        body_example=examples.CLAIM,
    ),
    Route(
        "GET",
        _CLAIM,
        claims.get_claim,
        access.LOOK_AT_CLAIM,
        (Reply(200, "The claim's state.", GrantedJson | QueuedJson, examples.GRANTED),),
        (*_NODE_PROBLEMS, *_CLAIM_PROBLEMS, "unknown-claim"),
    ),
    Route(
        "DELETE",
        _CLAIM,
        claims.delete_claim,
        access.RELEASE,
        (Reply(204, "No Lease names the claim any more."),),
        (*_NODE_PROBLEMS, "settling"),
    ),
    Route(
        "POST",
        _NODE + "/sync",
        sync.sync,
        access.CLAIM,
        (Reply(200, "Each claim's state, by itself.", SyncJson, examples.SYNC_ANSWER),),
        (*_NODE_PROBLEMS, *_BODY_PROBLEMS, "stale-sync"),
        body=SyncBody,
        body_example=examples.SYNC,
    ),
    Route(
        "GET",
        _NODE,
        status.get_node,
        access.LOOK_AT_NODE,
        (Reply(200, "The node.", NodeJson, examples.NODE),),
        _NODE_PROBLEMS,
    ),
    Route(
        "GET",
        _POOL + "/nodes",
        status.get_nodes,
        access.LOOK_AT_POOL,
        (Reply(200, "A page of nodes.", NodesJson, examples.NODES),),
        (*_POOL_PROBLEMS, "not-ready"),
        query=(
            (
                "limit",
                {
                    "type": "integer",
                    "minimum": 1,
                    "maximum": status.LONGEST_PAGE,
                    "default": status.DEFAULT_PAGE,
                },
                "Nodes in the answer, at most.",
            ),
            ("continue", {"type": "string"}, "From the answer before, as it is."),
        ),
    ),
    Route(
        "GET",
        _POOL,
        status.get_pool,
        access.LOOK_AT_POOL,
        (Reply(200, "The pool.", PoolJson, examples.POOL),),
        _POOL_PROBLEMS,
    ),
    Route(
        "GET",
        "/v1/status",
        status.get_status,
        access.LOOK_AT_STATUS,
        (
            Reply(
                200,
                "The leader and its pools; a follower's own view while nobody leads.",
                StatusJson,
                examples.STATUS,
            ),
        ),
        ("stopping",),
    ),
    Route(
        "GET",
        "/openapi.json",
        status.get_openapi,
        access.ANYBODY,
        (Reply(200, "This document.", dict[str, Any]),),
    ),
    Route(
        "GET",
        "/metrics",
        status.get_metrics,
        access.SCRAPE,
        (Reply(200, "Metrics.", str, examples.METRICS, "text/plain"),),
    ),
)
"""Served on the API's port."""

ADMISSION = (
    Route(
        "POST",
        MOVERS,
        admission.admit_mover,
        None,
        (
            Reply(
                200,
                "The Pod is allowed, with a patch where it is a mover's.",
                AdmissionReviewJson,
                examples.REVIEW_ANSWER,
            ),
        ),
        ("malformed", "out-of-range", *_BODY_PROBLEMS),
        body=AdmissionReviewBody,
        body_example=examples.REVIEW,
        everywhere=True,
    ),
)
"""Served there as well, with --inject-image."""

HEALTH = (
    Route("GET", "/livez", health.livez, None, (Reply(200, "Alive.", str, "ok\n", "text/plain"),)),
    Route(
        "GET",
        "/readyz",
        health.readyz,
        None,
        (
            Reply(200, "Every pool can be served.", str, "[+] velero: ok\n", "text/plain"),
            Reply(503, "What is missing, a line each.", str, examples.NOT_READY, "text/plain"),
        ),
    ),
)
"""Served on the health port."""
