"""`/livez`, `/readyz` and `/metrics`."""

from __future__ import annotations

from typing import TYPE_CHECKING

from agent_client.http.messages import Response
from agent_client.sidecar.metrics import CONTENT_TYPE, metrics_text
from agent_client.sidecar.problems import not_allowed, not_found, problem_response

if TYPE_CHECKING:
    from agent_client.http.messages import Request
    from agent_client.sidecar.desk import Desk
    from agent_client.sidecar.keeper import Keeper
    from agent_client.sidecar.reach import Reach

PLAIN = "text/plain; charset=utf-8"


class Health:
    """The handler for whoever only looks."""

    def __init__(self, desk: Desk, keeper: Keeper, reach: Reach) -> None:
        self._desk = desk
        self._keeper = keeper
        self._reach = reach
        self._answers = {
            "/livez": self._livez,
            "/readyz": self._readyz,
            "/metrics": self._metrics,
        }

    async def __call__(self, request: Request) -> Response:
        """Answer `request`."""
        if (answer := self._answers.get(request.path)) is None:
            return problem_response(not_found(request.path).problem)
        if request.method != "GET":
            return not_allowed(request.method, request.path, ("GET",))
        return answer()

    def why_not_ready(self) -> str:
        """What keeps new loads from getting a slot, in a sentence; "" when nothing does."""
        desk = self._desk
        if desk.stopping:
            return "the sidecar is being stopped"
        if (since := desk.silent_since) is not None:
            return f"no coordinator has answered for {desk.now() - since:.0f} s"
        if not self._keeper.names.known:
            return f"not looked up yet what was held before: {self._reach.why}"
        return self._reach.why if desk.client.idle else ""

    def _livez(self) -> Response:
        return _plain(200, "ok")

    def _readyz(self) -> Response:
        why = self.why_not_ready()
        return _plain(503, why) if why else _plain(200, "ok")

    def _metrics(self) -> Response:
        from importlib.metadata import version  # 30 ms that a start does without

        desk = self._desk
        sessions = [hold.session for hold in desk.holds.values()]
        lone = [e.session for e in self._keeper.names.entries.values() if e.lone]
        body = metrics_text(
            desk.tally,
            self._keeper.names.ran_without,
            [*sessions, *lone],
            desk.now(),
            up=not desk.silent,
            version=version("node-slots"),
        )
        return Response(200, body, CONTENT_TYPE)


def _plain(status: int, text: str) -> Response:
    return Response(status, text.encode() + b"\n", PLAIN)
