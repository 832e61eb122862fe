"""The stand-in for kube-proxy: where it listens, and who gets a connection."""

from __future__ import annotations

import asyncio
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING, Any

import pytest

from tests.realserver.process import free_port
from tests.velero.relay import Relay, endpoints, entrances

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

HERE = "127.0.0.1"


def service(name: str, address: str | None, *ports: dict[str, Any], space: str = "ns") -> Any:
    spec = {"clusterIP": address, "ports": list(ports)}
    return {"metadata": {"name": name, "namespace": space}, "spec": spec}


def slice_of(name: str, port: int, *ready: tuple[str, bool | None]) -> Any:
    return {
        "metadata": {"namespace": "ns", "labels": {"kubernetes.io/service-name": name}},
        "ports": [{"name": "https", "port": port}],
        "endpoints": [
            {"addresses": [address], "conditions": {} if told is None else {"ready": told}}
            for address, told in ready
        ],
    }


def test_it_listens_for_every_tcp_port_of_services_that_have_an_address() -> None:
    https, dns = {"name": "https", "port": 8443}, {"port": 53, "protocol": "UDP"}
    found = entrances(
        [
            service("one", "10.0.0.7", https, {"port": 80, "protocol": "TCP"}, dns),
            service("headless", "None", https),
            service("elsewhere", None, https),
        ]
    )
    assert found == {
        ("10.0.0.7", 8443): ("ns", "one", "https"),
        ("10.0.0.7", 80): ("ns", "one", ""),
    }


def test_only_ready_endpoints_of_that_service_and_port_count() -> None:
    slices = [
        slice_of("one", 18443, ("10.78.0.3", True), ("10.78.0.2", None), ("10.78.0.4", False)),
        slice_of("two", 18443, ("10.78.0.9", True)),
        {"metadata": {"namespace": "ns"}, "ports": None, "endpoints": None},
    ]
    assert endpoints(slices, "ns", "one", "https") == [("10.78.0.2", 18443), ("10.78.0.3", 18443)]
    assert endpoints(slices, "other", "one", "https") == []
    assert endpoints(slices, "ns", "one", "http") == []


@asynccontextmanager
async def told_by(name: bytes) -> AsyncIterator[int]:
    """The port of a server that reads to the end and then answers with its name."""

    async def answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(name + b" heard " + await reader.read())
        writer.close()

    server = await asyncio.start_server(answer, HERE)
    async with server:
        yield server.sockets[0].getsockname()[1]


async def ask(port: int) -> bytes:
    reader, writer = await asyncio.open_connection(HERE, port)
    writer.write(b"it")
    writer.write_eof()
    try:
        return await reader.read()
    finally:
        writer.close()


def split(ports: list[int]) -> dict[str, Any]:
    return {str(port): slice_of("one", port, (HERE, True)) for port in ports}


async def test_ready_endpoints_take_turns_and_who_is_none_any_more_gets_nothing() -> None:
    entrance = free_port()
    relay = Relay((HERE, 1))
    await relay.set_services({"1": service("one", HERE, {"name": "https", "port": entrance})})
    async with told_by(b"a") as first, told_by(b"b") as second:
        await relay.set_slices(split([first, second]))
        assert {await ask(entrance), await ask(entrance)} == {b"a heard it", b"b heard it"}
        await relay.set_slices(split([second]))
        assert {await ask(entrance), await ask(entrance)} == {b"b heard it"}
        await relay.set_slices({})
        with pytest.raises(ConnectionResetError):
            await ask(entrance)
    await relay.set_services({})
    with pytest.raises(ConnectionRefusedError):
        await ask(entrance)


async def test_the_api_servers_own_service_needs_no_endpoints() -> None:
    entrance = free_port()
    async with told_by(b"api") as port:
        relay = Relay((HERE, port))
        own = service("kubernetes", HERE, {"name": "https", "port": entrance}, space="default")
        await relay.set_services({"1": own})
        assert await ask(entrance) == b"api heard it"
        await relay.set_services({})
