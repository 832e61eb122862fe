"""Method and path to what answers it."""

from __future__ import annotations

from typing import TYPE_CHECKING
from urllib.parse import unquote_to_bytes

from agent_client.http.messages import Response, Stream
from agent_client.sidecar import lines
from agent_client.sidecar.problems import (
    Failed,
    json_response,
    made,
    malformed,
    not_allowed,
    problem_response,
)
from agent_client.sidecar.requests import Defaults, read_named_wish, read_wait, read_wish

if TYPE_CHECKING:
    from agent_client.http.messages import Handler, Request
    from agent_client.sidecar.entry import Entry
    from agent_client.sidecar.keeper import Keeper
    from agent_client.sidecar.overview import Overview
    from agent_client.sidecar.streams import Streams

SLOTS = "/v1/slots"
DELETE_WITHIN = 5.0
"""Seconds that a DELETE waits for the coordinator's word."""


class Routes:
    """The handler of the local API. What is not about slots is left to `health`."""

    def __init__(
        self,
        streams: Streams,
        keeper: Keeper,
        overview: Overview,
        health: Handler,
        defaults: Defaults,
    ) -> None:
        self._streams = streams
        self._keeper = keeper
        self._overview = overview
        self._health = health
        self._defaults = defaults

    async def __call__(self, request: Request) -> Response | Stream:
        """Answer `request`."""
        methods = self._methods(request.path)
        if methods is None:
            return await self._health(request)
        if (handler := methods.get(request.method)) is None:
            return not_allowed(request.method, request.path, methods)
        try:
            return await handler(request)
        except Failed as failed:
            return problem_response(failed.problem)

    def _methods(self, path: str) -> dict[str, Handler] | None:
        if path == SLOTS:
            return {"GET": self._list, "POST": self._post}
        if path.startswith(SLOTS + "/"):
            return {"GET": self._get, "PUT": self._put, "DELETE": self._delete}
        return None

    async def _list(self, _: Request) -> Response:
        return json_response(200, self._overview.told())

    async def _post(self, request: Request) -> Stream:
        wish = read_wish(request.body, self._defaults)
        self._streams.admit()
        return Stream(self._streams.lines(wish))

    async def _put(self, request: Request) -> Response:
        wait, keeper = read_wait(request.query), self._keeper
        wish = read_named_wish(_load(request.path), request.body, self._defaults)
        entry = keeper.put(wish)
        await keeper.until(lambda: keeper.decided(entry), wait)
        return self._told(entry)

    async def _get(self, request: Request) -> Response:
        wait, load, keeper = read_wait(request.query), _load(request.path), self._keeper
        if (entry := keeper.get(load)) is None:
            raise self._unknown(load)
        before = keeper.state_of(entry)
        await keeper.until(lambda: keeper.state_of(entry) != before, wait)
        return self._told(entry)

    async def _delete(self, request: Request) -> Response:
        load, keeper = _load(request.path), self._keeper
        if not (keeper.delete(load) or keeper.releasing(load)):
            raise self._unknown(load)
        await keeper.until(lambda: not keeper.releasing(load), DELETE_WITHIN)
        if keeper.releasing(load):
            return json_response(202, {"load": load, "state": lines.RELEASING})
        return Response(204)

    def _told(self, entry: Entry) -> Response:
        """How the load stands. How it ended is told once."""
        problem = lines.problem_of(entry.session)
        if problem is not None:
            self._keeper.settle(entry)
            raise Failed(problem)
        told = self._keeper.told(entry)
        if told["state"] == lines.RELEASING:
            raise self._unknown(entry.load)  # somebody has deleted it meanwhile
        return json_response(202 if told["state"] == lines.QUEUED else 200, told)

    def _unknown(self, load: str) -> Failed:
        if not self._keeper.names.known:
            detail = (
                f"it is not known yet what this sidecar held before it was started; {load!r} may be"
            )
            return Failed(made(503, "not-ready", detail + " among it: ask again"))
        return Failed(made(404, "unknown-load", f"there is no load {load!r} here: PUT it"))


def _load(path: str) -> str:
    """The load's name in `path`. Raises `Failed`."""
    try:
        return unquote_to_bytes(path.removeprefix(SLOTS + "/")).decode()
    except UnicodeDecodeError:
        raise malformed("load", "in the path is not UTF-8, percent-encoded") from None
