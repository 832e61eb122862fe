"""What a server hands to its handler, and what it gets back."""

from __future__ import annotations

import json
from collections.abc import AsyncGenerator, Awaitable, Callable, Mapping
from dataclasses import dataclass

PROBLEMS = "https://nodeslots.io/problems/"
"""Every problem type starts with this, as the coordinator's own do."""


@dataclass(frozen=True, slots=True)
class Request:
    """One request, read to its end. A HEAD comes as a GET: the server drops the answer's body.

    `path` is raw (still percent-encoded) and without the query. Header names are in lower case;
    of a parameter that stands twice the last counts, headers that stand twice are joined by ", ".
    """

    method: str
    path: str
    query: Mapping[str, str]
    headers: Mapping[str, str]
    body: bytes


@dataclass(frozen=True, slots=True)
class Response:
    """An answer in one piece."""

    status: int
    body: bytes = b""
    content_type: str = "application/json"
    headers: tuple[tuple[str, str], ...] = ()


@dataclass(frozen=True, slots=True)
class Stream:
    """An answer in lines, each sent at once.

    `lines` is closed when it ends and when the client goes, so its `finally` is the place to free
    what it holds. A generator that never began has no `finally` to run: take things inside it.
    """

    lines: AsyncGenerator[bytes, None]
    status: int = 200
    content_type: str = "application/x-ndjson"


Handler = Callable[[Request], Awaitable[Response | Stream]]
"""Answers one request. It is cancelled when the client closes its connection."""


def problem(
    status: int, name: str, detail: str, *, headers: tuple[tuple[str, str], ...] = ()
) -> Response:
    """An RFC 9457 answer of the type `name`; `detail` tells people what to do."""
    told = {
        "type": PROBLEMS + name,
        "title": name.replace("-", " "),
        "status": status,
        "detail": detail,
    }
    return Response(status, json.dumps(told).encode(), "application/problem+json", headers)
