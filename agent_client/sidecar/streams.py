"""`POST /v1/slots`: a slot that is held while the connection is open."""

from __future__ import annotations

import json
import uuid
from typing import TYPE_CHECKING, Any

from agent_client.session import Session
from agent_client.sidecar.lines import ENDING, QUEUED
from agent_client.sidecar.problems import Failed, problem_json

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator

    from agent_client.sidecar.desk import Desk, Hold
    from agent_client.sidecar.requests import Wish

GOING = {"state": ENDING, "reason": "the sidecar is being stopped"}


class Streams:
    """The loads whose clients are connected."""

    def __init__(self, desk: Desk) -> None:
        self._desk = desk
        self.holds: dict[str, Hold] = {}

    def admit(self) -> None:
        """Raise `Failed` if no new load is taken."""
        self._desk.admit()

    async def lines(self, wish: Wish) -> AsyncGenerator[bytes, None]:
        """Each state of the wish as one line. Closing this gives the slot back.

        Only the newest state is kept for a client that reads slowly.
        """
        try:
            hold = self._begin(wish)
        except Failed as failed:  # the last place was taken since the request was looked at
            yield _line({"state": "refused", "problem": problem_json(failed.problem)})
            return
        version, going, told = -1, False, {}
        try:
            while True:
                if hold.version != version:
                    version, told = hold.version, hold.told()
                    yield _line(told)
                elif self._desk.stopping and not going:
                    going = True
                    yield _line(GOING)
                elif hold.over or (going and told["state"] == QUEUED):
                    return
                else:
                    await hold.bell.wait()
        finally:
            del self.holds[hold.session.claim]
            self._desk.end(hold)

    def _begin(self, wish: Wish) -> Hold:
        self._desk.admit()
        session = Session(wish.terms(uuid.uuid4().hex), wish.patience)
        hold = self.holds[session.claim] = self._desk.begin(session, self._desk.now())
        return hold

    def stop(self) -> None:
        """Tell everybody that the end is near: who holds goes on, who waits is sent away."""
        for hold in self.holds.values():
            hold.bell.ring()


def _line(told: dict[str, Any]) -> bytes:
    return json.dumps(told).encode() + b"\n"
