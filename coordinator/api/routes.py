"""Every route in one table: what serves it, and what the OpenAPI document says of it."""

from __future__ import annotations

from typing import Any

from coordinator.api import access, admission, claims, examples, health, page, status, sync
from coordinator.api.admission import AdmissionReviewBody, AdmissionReviewJson
from coordinator.api.answers import GrantedJson, QueuedJson, SyncJson
from coordinator.api.explain import ExplainedGrantJson, ExplainedWaitJson
from coordinator.api.reports import NodeJson, StatusJson
from coordinator.api.route import BODY_PROBLEMS, CLAIM, NODE, POOL_PROBLEMS, Reply, Route
from coordinator.api.routes_pool import POOL_ROUTES
from coordinator.api.schemas import ClaimBody, SyncBody
from coordinator.injection.webhook import PATH as MOVERS

_NODE_PROBLEMS = (*POOL_PROBLEMS, "unknown-node", "not-ready", "stopping", "node-not-seen")
_CLAIM_PROBLEMS = ("slot-lost", "released", "settling")
_REFUSALS = ("claim-mismatch", "pod-finished", "queue-full")

API = (
    Route(
        "PUT",
        CLAIM,
        claims.put_claim,
        access.CLAIM,
        (
            Reply(200, "The claim holds a slot.", GrantedJson, examples.GRANTED),
            Reply(202, "The claim waits; ask again.", QueuedJson, examples.QUEUED),
        ),
        (*_NODE_PROBLEMS, *BODY_PROBLEMS, *_CLAIM_PROBLEMS, *_REFUSALS),
        body=ClaimBody,
        body_example=examples.CLAIM,
    ),
    Route(
        "GET",
        CLAIM,
        claims.get_claim,
        access.LOOK_AT_CLAIM,
        (
            Reply(
                200,
                "The claim's state, and why it is so.",
                ExplainedGrantJson | ExplainedWaitJson,
                examples.EXPLAINED_WAIT,
                (examples.EXPLAINED_GRANT,),
            ),
        ),
        (*_NODE_PROBLEMS, *_CLAIM_PROBLEMS, "unknown-claim"),
    ),
    Route(
        "DELETE",
        CLAIM,
        claims.delete_claim,
        access.RELEASE,
        (Reply(204, "No Lease names the claim any more."),),
        (*_NODE_PROBLEMS, "settling"),
    ),
    Route(
        "POST",
        NODE + "/sync",
        sync.sync,
        access.CLAIM,
        (Reply(200, "Each claim's state, by itself.", SyncJson, examples.SYNC_ANSWER),),
        (*_NODE_PROBLEMS, *BODY_PROBLEMS, "stale-sync"),
        body=SyncBody,
        body_example=examples.SYNC,
    ),
    Route(
        "GET",
        NODE,
        status.get_node,
        access.LOOK_AT_NODE,
        (Reply(200, "The node.", NodeJson, examples.NODE),),
        _NODE_PROBLEMS,
    ),
    *POOL_ROUTES,
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
        (Reply(200, "Metrics.", str, examples.METRICS, media="text/plain"),),
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
        ("malformed", "out-of-range", *BODY_PROBLEMS),
        body=AdmissionReviewBody,
        body_example=examples.REVIEW,
        everywhere=True,
    ),
)
"""Served there as well, with --inject-image."""

PAGE = tuple(
    Route(
        method,
        path,
        handler,
        None,
        (
            Reply(200, "The file.", str, media="text/html"),
            Reply(304, "It is the one that If-None-Match names."),
        ),
        everywhere=True,
    )
    for path, handler in (("/", page.get_page), ("/page/{name}", page.get_asset))
    for method in ("GET", "HEAD")
)
"""The dashboard, on the API's port. For browsers: the OpenAPI document does not tell of it."""

HEALTH = (
    Route(
        "GET",
        "/livez",
        health.livez,
        None,
        (Reply(200, "Alive.", str, "ok\n", media="text/plain"),),
    ),
    Route(
        "GET",
        "/readyz",
        health.readyz,
        None,
        (
            Reply(200, "Every pool can be served.", str, "[+] velero: ok\n", media="text/plain"),
            Reply(
                503, "What is missing, a line each.", str, examples.NOT_READY, media="text/plain"
            ),
        ),
    ),
)
"""Served on the health port."""
