"""The addresses of Services: a relay on its leash in place of kube-proxy."""

from __future__ import annotations

import json
import socket
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any, Self
from urllib.parse import urlsplit

from tests.e2e.waiting import until
from tests.realserver.process import Process
from tests.velero import network

if TYPE_CHECKING:
    from tests.realserver.server import RealApiServer

_RELAY = Path(__file__).with_name("relay.py")
_KUBERNETES = (network.SERVICES.replace("0/24", "1"), 443)
"""The API server's own Service has the first address."""


def plan(server: RealApiServer) -> dict[str, Any]:
    """How that server is asked by its administrator, as relay.py wants to be told."""
    where = urlsplit(server.url)
    found = {"host": where.hostname, "port": where.port}
    return found | {"ca": str(server.ca_file), "token": server.token}


class Services:
    """Every Service of this API server can be reached from entering to leaving.

    It needs the network of `network.isolate`, and a controller-manager that makes EndpointSlices.
    """

    def __init__(self, server: RealApiServer, folder: Path) -> None:
        self._server = server
        self._folder = folder
        self._relay: Process | None = None

    def __enter__(self) -> Self:
        file = self._folder / "relay.json"
        file.write_text(json.dumps(plan(self._server)))
        command = [sys.executable, "-I", "-S", str(_RELAY), str(file)]
        self._relay = Process(command, self._folder / "relay.log")
        until(self._answers, "the API server answers at the address of its Service")
        return self

    def __exit__(self, *_: object) -> None:
        if self._relay is not None:
            self._relay.end()

    def _answers(self) -> bool:
        assert self._relay is not None
        assert self._relay.is_running(), self._relay.last_words()
        with socket.socket() as probe:
            return probe.connect_ex(_KUBERNETES) == 0
