"""What goes wrong at the local API, as RFC 9457 problems like the coordinator's own."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from agent_client.http.messages import Response
from agent_client.messages import PROBLEMS, Problem

if TYPE_CHECKING:
    from collections.abc import Iterable

RETRY_AFTER = 1.0
"""Seconds, where a problem passes by itself and nobody knows when."""


class Failed(Exception):
    """A request that ends with this problem."""

    def __init__(self, problem: Problem) -> None:
        super().__init__(str(problem))
        self.problem = problem


def made(status: int, name: str, detail: str, *fields: str) -> Problem:
    """A problem of ours. `detail` tells people what to do; `fields` are those that it speaks of."""
    after = RETRY_AFTER if status in {429, 503} else None
    return Problem(PROBLEMS + name, name.replace("-", " "), status, detail, fields, after)


def malformed(field: str, detail: str) -> Failed:
    """`field` is of the wrong type or form."""
    return Failed(made(400, "malformed", f"{field} {detail}", field))


def out_of_range(field: str, detail: str) -> Failed:
    """The value of `field` is outside its range."""
    return Failed(made(422, "out-of-range", f"{field} {detail}", field))


def problem_json(problem: Problem) -> dict[str, Any]:
    """The problem as the API writes it."""
    told: dict[str, Any] = {
        "type": problem.type,
        "title": problem.title,
        "status": problem.status,
        "detail": problem.detail,
    }
    if problem.fields:
        told["errors"] = [{"field": field, "detail": problem.detail} for field in problem.fields]
    return told


def problem_response(problem: Problem) -> Response:
    """The problem as an answer, with `Retry-After` where it passes."""
    after = problem.retry_after
    headers = () if after is None else (("Retry-After", str(max(1, round(after)))),)
    body = json.dumps(problem_json(problem)).encode()
    return Response(problem.status, body, "application/problem+json", headers)


def json_response(status: int, told: dict[str, Any]) -> Response:
    """`told` as an answer."""
    return Response(status, json.dumps(told).encode() + b"\n")


def not_found(path: str) -> Failed:
    """Nothing is served at `path`."""
    return Failed(made(404, "not-found", f"there is nothing at {path}: see docs/sidecar.md"))


def not_allowed(method: str, path: str, allowed: Iterable[str]) -> Response:
    """`path` knows other methods only."""
    detail = f"{path} knows {', '.join(allowed)}, not {method}"
    answer = problem_response(made(405, "method-not-allowed", detail))
    return replace(answer, headers=(("Allow", ", ".join(allowed)),))
