"""`GET /v1/slots`: all that this sidecar holds and waits for."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from agent_client.sidecar.desk import Desk
    from agent_client.sidecar.keeper import Keeper
    from agent_client.sidecar.streams import Streams


class Overview:
    """Reads the others."""

    def __init__(self, desk: Desk, streams: Streams, keeper: Keeper) -> None:
        self._desk = desk
        self._streams = streams
        self._keeper = keeper

    def told(self) -> dict[str, Any]:
        """The sidecar and its loads, as JSON."""
        client, place = self._desk.client, self._desk.place
        return {
            "node": place[1],
            "namespace": place[0],
            "agent": client.settings.agent,
            "coordinator": self._coordinator(),
            "slots": [*self._connected(), *self._named(), *self._going()],
        }

    def _coordinator(self) -> dict[str, Any]:
        since = self._desk.silent_since
        return {
            "url": self._desk.client.settings.url,
            "answers": since is None,
            "silentSeconds": None if since is None else round(self._desk.now() - since, 1),
        }

    def _connected(self) -> list[dict[str, Any]]:
        return [
            {"load": hold.session.terms.load, "named": False, "adopted": False, **hold.told()}
            for hold in self._streams.holds.values()
        ]

    def _named(self) -> list[dict[str, Any]]:
        return [
            {"named": True, "adopted": entry.adopted, **self._keeper.told(entry)}
            for entry in self._keeper.names.entries.values()
        ]

    def _going(self) -> list[dict[str, Any]]:
        return [
            {"load": session.terms.load, "named": True, "adopted": False, "state": "releasing"}
            for session in self._keeper.names.going.values()
        ]
