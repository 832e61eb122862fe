"""The routes that look at a pool as a whole: its nodes, claims, rules, events."""

from __future__ import annotations

from typing import TYPE_CHECKING

from coordinator.api import access, events, examples_pool, listing, preview, status
from coordinator.api import queries as q
from coordinator.api.claim_rows import ClaimsJson
from coordinator.api.happenings import EVENTS
from coordinator.api.reports import NodesJson, PoolJson
from coordinator.api.route import BODY_PROBLEMS, POOL, POOL_PROBLEMS, Parameter, Reply, Route
from coordinator.core.listing import STATES

if TYPE_CHECKING:
    from collections.abc import Iterable

_TEXT = {"type": "string"}
_PAGE = (
    Parameter(
        "limit",
        {"type": "integer", "minimum": 1, "maximum": q.LONGEST_PAGE, "default": q.DEFAULT_PAGE},
        "How many there are in the answer, at most.",
        2,
    ),
    Parameter("continue", _TEXT, "From the answer before, as it is."),
)
_NODES = Parameter(
    "node",
    {"type": "string", "minLength": 1, "maxLength": 253},
    f"Only of this node; up to {q.MOST_NAMES} may be named.",
    "node1",
    repeated=True,
)


def _state(words: Iterable[str], meaning: str) -> Parameter:
    schema = {"type": "string", "enum": list(words)}
    return Parameter("state", schema, meaning, "queued", repeated=True)


_READY_PROBLEMS = (*POOL_PROBLEMS, "not-ready")

POOL_ROUTES = (
    Route(
        "GET",
        POOL + "/nodes",
        listing.get_nodes,
        access.LOOK_AT_POOL,
        (Reply(200, "A page of nodes.", NodesJson, examples_pool.NODES),),
        _READY_PROBLEMS,
        query=(
            _NODES,
            _state(listing.NODE_STATES, "Only nodes that are so; of several states any will do."),
            *_PAGE,
        ),
    ),
    Route(
        "GET",
        POOL + "/claims",
        listing.get_claims,
        access.LOOK_AT_POOL,
        (Reply(200, "A page of claims.", ClaimsJson, examples_pool.CLAIMS),),
        _READY_PROBLEMS,
        query=(
            _NODES,
            _state(STATES, "Only claims in this state; of several any will do."),
            Parameter("pod", _TEXT, "Only of this Pod, as NAME or NAMESPACE/NAME."),
            Parameter("load", _TEXT, "Only of this load."),
            Parameter("claim", _TEXT, "Only the claim of this id."),
            *_PAGE,
        ),
    ),
    Route(
        "GET",
        POOL + "/config",
        preview.get_config,
        access.LOOK_AT_POOL,
        (
            Reply(
                200,
                "The rules in force, and how many nodes each matches.",
                preview.PreviewJson,
                examples_pool.CONFIG,
            ),
        ),
        (*_READY_PROBLEMS, "overloaded"),
    ),
    Route(
        "POST",
        POOL + "/preview",
        preview.preview_config,
        access.LOOK_AT_POOL,
        (
            Reply(
                200,
                "What the text would change; `accepted` is false where it would be refused.",
                preview.PreviewJson,
                examples_pool.PREVIEW,
            ),
        ),
        (*_READY_PROBLEMS, *BODY_PROBLEMS),
        body=preview.PreviewBody,
        body_example=examples_pool.PREVIEW_BODY,
    ),
    Route(
        "GET",
        POOL + "/events",
        events.get_events,
        access.LOOK_AT_POOL,
        (
            Reply(
                200,
                "A stream that goes on for five minutes.",
                str,
                examples_pool.EVENTS,
                media=events.MEDIA,
                events=EVENTS,
            ),
        ),
        (*_READY_PROBLEMS, "overloaded"),
        query=(
            _NODES,
            Parameter(
                "summaries",
                {"type": "string", "enum": ["0", "1"], "default": "0"},
                "1: also an event `node` with the numbers of each node that changes.",
                "1",
            ),
        ),
        headers=(
            Parameter(
                "Last-Event-ID",
                _TEXT,
                "The `id` of the last event that was seen: the stream goes on after it.",
            ),
        ),
    ),
    Route(
        "GET",
        POOL,
        status.get_pool,
        access.LOOK_AT_POOL,
        (Reply(200, "The pool.", PoolJson, examples_pool.POOL),),
        POOL_PROBLEMS,
    ),
)
