"""What kube-proxy does, as one program without rights: `python relay.py PLAN`.

It listens on the address of every Service (the tier's network has them all on its loopback
interface) and passes each connection on to a ready endpoint, one after the other. A
connection to a Service without one is reset, and as with kube-proxy nothing is tried twice.

PLAN is a JSON file: `host`, `port`, `ca` and `token` of the API server, which is also the one
endpoint of the Service `kubernetes`. Standard library only.
"""

from __future__ import annotations

import asyncio
import json
import socket
import ssl
import struct
import sys
import threading
from collections import Counter
from http.client import HTTPException, HTTPResponse, HTTPSConnection
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping

    Address = tuple[str, int]
    Objects = dict[str, Any]
    """By uid."""

_SERVICE_LABEL = "kubernetes.io/service-name"
_HEADLESS = (None, "", "None")
_AGAIN_AFTER = 0.2
_CHUNK = 1 << 16


def entrances(services: Iterable[Any]) -> dict[Address, tuple[str, str, str]]:
    """Where to listen: namespace, name and port's name of the Service behind each address."""
    return {
        (service["spec"]["clusterIP"], port["port"]): (
            service["metadata"]["namespace"],
            service["metadata"]["name"],
            port.get("name", ""),
        )
        for service in services
        if service["spec"].get("clusterIP") not in _HEADLESS
        for port in service["spec"].get("ports", ())
        if port.get("protocol", "TCP") == "TCP"
    }


def endpoints(slices: Iterable[Any], namespace: str, service: str, port: str) -> list[Address]:
    """The ready ones of a Service's port, sorted."""
    return sorted(
        (address, number["port"])
        for one in slices
        if one["metadata"]["namespace"] == namespace
        if one["metadata"].get("labels", {}).get(_SERVICE_LABEL) == service
        for number in one.get("ports") or ()
        if (number.get("name") or "") == port
        for endpoint in one.get("endpoints") or ()
        if endpoint.get("conditions", {}).get("ready", True)
        for address in endpoint["addresses"]
    )


class ApiServer:
    """The one that the plan names; it is asked from threads."""

    def __init__(self, plan: Mapping[str, Any]) -> None:
        self.address = (plan["host"], plan["port"])
        self._head = {"Authorization": f"Bearer {plan['token']}"}
        self._trusted = ssl.create_default_context(cafile=plan["ca"])

    def follow(self, path: str, tell: Callable[[Objects], None], over: threading.Event) -> None:
        """Tells all objects of this kind now and after every change.

        Comes back when it is over and the watch that is open then has ended.
        """
        while not over.wait(_AGAIN_AFTER):
            try:
                self._follow_once(path, tell)
            except (OSError, HTTPException, KeyError) as error:
                # A server that is away comes back; until then what was told last holds.
                if not over.is_set():
                    sys.stderr.write(f"{path}: {error!r}\n")

    def _follow_once(self, path: str, tell: Callable[[Objects], None]) -> None:
        whole = json.load(self._get(path))
        found = {item["metadata"]["uid"]: item for item in whole["items"]}
        tell(dict(found))
        version = whole["metadata"]["resourceVersion"]
        for line in self._get(f"{path}?watch=1&resourceVersion={version}"):
            event = json.loads(line)
            uid = event["object"]["metadata"]["uid"]  # an ERROR has none: from the start, then
            found[uid] = event["object"]
            if event["type"] == "DELETED":
                del found[uid]
            tell(dict(found))

    def _get(self, path: str) -> HTTPResponse:
        line = HTTPSConnection(*self.address, context=self._trusted)
        line.request("GET", path, headers=self._head)
        return line.getresponse()


class Relay:
    """The listeners, and who is behind them now."""

    def __init__(self, server: Address) -> None:
        self._server = server
        self._services: Objects = {}
        self._slices: Objects = {}
        self._listeners: dict[Address, asyncio.Server] = {}
        self._turns: Counter[Address] = Counter()

    async def set_services(self, services: Objects) -> None:
        """Opens what is new, and closes what has gone; connections that are open stay."""
        self._services = services
        wanted = entrances(services.values())
        for address in self._listeners.keys() - wanted.keys():
            self._listeners.pop(address).close()
        for address in wanted.keys() - self._listeners.keys():
            self._listeners[address] = await asyncio.start_server(self._serve, *address)

    async def set_slices(self, slices: Objects) -> None:
        """Connections from now on go there."""
        self._slices = slices

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            target = self._target(writer.get_extra_info("sockname")[:2])
            there_reader, there = await asyncio.open_connection(*target)
        except (OSError, LookupError):
            _refuse(writer)
            return
        await asyncio.gather(_copy(reader, there), _copy(there_reader, writer))
        for end in (writer, there):
            end.close()

    def _target(self, address: Address) -> Address:
        """Raises LookupError where nobody is ready."""
        namespace, service, port = entrances(self._services.values())[address]
        if (namespace, service) == ("default", "kubernetes"):
            return self._server
        found = endpoints(self._slices.values(), namespace, service, port)
        if not found:
            raise LookupError(f"no endpoint of {namespace}/{service} is ready")
        self._turns[address] += 1
        return found[self._turns[address] % len(found)]


def _refuse(writer: asyncio.StreamWriter) -> None:
    """It was accepted already: what comes next to a refusal is a reset."""
    at_once = struct.pack("ii", 1, 0)
    writer.get_extra_info("socket").setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, at_once)
    writer.transport.abort()


async def _copy(source: asyncio.StreamReader, target: asyncio.StreamWriter) -> None:
    """One direction; its end is passed on, so that the other may go on."""
    try:
        while data := await source.read(_CHUNK):
            target.write(data)
            await target.drain()
        target.write_eof()
    except OSError:
        target.transport.abort()


async def _run(server: ApiServer) -> None:
    loop, relay, over = asyncio.get_running_loop(), Relay(server.address), threading.Event()
    kinds = {
        "/api/v1/services": relay.set_services,
        "/apis/discovery.k8s.io/v1/endpointslices": relay.set_slices,
    }
    for path, take in kinds.items():

        def tell(objects: Objects, take: Callable[[Objects], Any] = take) -> None:
            asyncio.run_coroutine_threadsafe(take(objects), loop).result()

        threading.Thread(target=server.follow, args=(path, tell, over), daemon=True).start()
    await asyncio.Event().wait()


if __name__ == "__main__":
    asyncio.run(_run(ApiServer(json.loads(Path(sys.argv[1]).read_text()))))
