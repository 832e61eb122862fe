"""Errors on the wire: RFC 9457 problems, each with a stable type and a detail that says what to do.

`KINDS` is the one list of them; the OpenAPI document is made from it. 429 and every 503 tell the
caller when to come back, in the `Retry-After` header and as `retryAfter`.
"""

from __future__ import annotations

from dataclasses import dataclass
from http import HTTPStatus
from math import ceil
from typing import NotRequired

import orjson
from aiohttp import web
from typing_extensions import TypedDict

BASE = "https://nodeslots.io/problems/"
CONTENT_TYPE = "application/problem+json"


@dataclass(frozen=True, slots=True)
class Kind:
    """A type of problem: its HTTP status, its title, and the detail of its example."""

    status: int
    title: str
    example: str


KINDS = {
    "malformed": Kind(
        400, "The request cannot be read", "ttlSeconds: Input should be a valid integer"
    ),
    "unauthenticated": Kind(
        401,
        "It is not known who asks",
        "the request has no Authorization header; send Authorization: Bearer TOKEN",
    ),
    "forbidden": Kind(
        403,
        "The caller may not do this",
        "jane may not list leases.coordination.k8s.io in namespace velero; it may once `kubectl"
        " auth can-i list leases.coordination.k8s.io -n velero` says yes for it",
    ),
    "not-found": Kind(
        404, "No such route", "there is nothing at /v2/status; /openapi.json lists what there is"
    ),
    "unknown-pool": Kind(
        404,
        "No such pool",
        "no pool in namespace demo; served are: velero (--namespace and --pool add more)",
    ),
    "unknown-node": Kind(404, "No such node", "the cluster has no node node9"),
    "unknown-claim": Kind(404, "No such claim", "node1 knows no claim 7f3a; PUT it to ask"),
    "method-not-allowed": Kind(405, "The route has no such method", "use GET, PUT or DELETE"),
    "request-timeout": Kind(
        408, "The request came too slowly", "the body was not complete after 10 s; send it again"
    ),
    "claim-mismatch": Kind(
        409,
        "The claim exists with other terms",
        "claim 7f3a of node1 has another load, priority or TTL; another load takes another id",
    ),
    "slot-lost": Kind(
        409,
        "The claim's slot is gone",
        "claim 7f3a has no slot of node1 any more; stop its load",
    ),
    "stale-sync": Kind(
        409, "A newer sync took over", "agent backup-7 has sent sequence 8, this is 7"
    ),
    "released": Kind(
        410,
        "The claim was released",
        "claim 7f3a of node1 was released a moment ago; a load that starts again takes a new id",
    ),
    "pod-finished": Kind(
        410,
        "The claim's Pod has finished",
        "claim 7f3a of node1: its Pod velero/backup-7-x2x4c has finished; a load in another Pod"
        " takes a new claim id",
    ),
    "too-large": Kind(413, "The body is too large", "the body is larger than 65536 bytes"),
    "unsupported-media-type": Kind(
        415, "The body is not plain JSON", "send Content-Type: application/json, uncompressed"
    ),
    "out-of-range": Kind(
        422,
        "A value is out of range",
        "ttlSeconds: Input should be greater than or equal to 10",
    ),
    "queue-full": Kind(
        429,
        "The queue is full",
        "claim 7f3a: as many claims wait as may, on node1 or on all nodes; ask again later",
    ),
    "internal": Kind(
        500, "A fault of the coordinator", "request 4be1c09f failed; the coordinator's log says why"
    ),
    "no-leader": Kind(
        503,
        "No replica leads that could answer",
        "no replica leads at the moment; held slots stay held, ask again",
    ),
    "not-ready": Kind(
        503,
        "The coordinator has no complete picture yet",
        "the list of Leases in velero failed: connection refused; it goes on trying, ask again",
    ),
    "not-confirmed": Kind(
        503,
        "The API server cannot be asked who this is or what it may",
        "the API server does not answer the TokenReview; what is held stays held, ask again",
    ),
    "overloaded": Kind(
        503,
        "The coordinator has too much to read",
        "too many large bodies are on their way; send it again",
    ),
    "settling": Kind(
        503,
        "The outcome of a write is not known yet",
        "claim 7f3a of node1: its slot is being given back; ask again",
    ),
    "stopping": Kind(503, "The coordinator shuts down", "held slots stay held; ask again"),
    "node-not-seen": Kind(
        503, "The node is not known yet", "node9 is unknown, a new node appears soon; ask again"
    ),
}
"""Every problem by name, as far as this coordinator answers with it."""


class FieldErrorJson(TypedDict):
    """What is wrong with one field."""

    field: str
    detail: str


class ProblemJson(TypedDict):
    """An RFC 9457 problem. `retryAfter` is in seconds."""

    type: str
    title: str
    status: int
    detail: str
    instance: NotRequired[str]
    errors: NotRequired[list[FieldErrorJson]]
    retryAfter: NotRequired[int]


class Problem(Exception):
    """A problem on its way to the caller.

    `name` is a key of `KINDS`, `retry_after` in seconds, `fields` pairs of a field and what is
    wrong with it. Raises `KeyError` for a name that is not documented.
    """

    def __init__(
        self,
        name: str,
        detail: str,
        *,
        fields: tuple[tuple[str, str], ...] = (),
        retry_after: float | None = None,
    ) -> None:
        super().__init__(detail)
        self.name = name
        self.kind = KINDS[name]
        self.detail = detail
        self.fields = fields
        self.retry_after = _seconds(self.kind.status, retry_after)

    def body(self, instance: str = "") -> ProblemJson:
        """The problem as JSON; `instance` is the path that was asked for."""
        body = ProblemJson(
            type=BASE + self.name,
            title=self.kind.title,
            status=self.kind.status,
            detail=self.detail,
        )
        if instance:
            body["instance"] = instance
        if self.fields:
            body["errors"] = [FieldErrorJson(field=f, detail=d) for f, d in self.fields]
        if self.retry_after is not None:
            body["retryAfter"] = self.retry_after
        return body

    def within(self, path: str) -> Problem:
        """The same problem of a part of the request: its fields stand under `path`."""
        fields = tuple((f"{path}.{field}", detail) for field, detail in self.fields)
        return Problem(self.name, self.detail, fields=fields, retry_after=self.retry_after)

    def response(self, instance: str = "") -> web.Response:
        """The problem as an HTTP answer."""
        headers = {} if self.retry_after is None else {"Retry-After": str(self.retry_after)}
        if self.kind.status == HTTPStatus.UNAUTHORIZED:
            headers["WWW-Authenticate"] = "Bearer"  # RFC 9110, 15.5.2 asks for it
        return web.Response(
            status=self.kind.status,
            body=orjson.dumps(self.body(instance)),
            headers=headers,
            content_type=CONTENT_TYPE,
        )


def _seconds(status: int, given: float | None) -> int | None:
    """Whole seconds, at least one; every 429 and 503 has some."""
    if given is None:
        return 1 if status in {429, 503} else None
    return max(1, ceil(given))
