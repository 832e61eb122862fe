"""Reaching a coordinator: names, several addresses, and hosts that vanish."""

from __future__ import annotations

import asyncio
import socket
import threading
from typing import TYPE_CHECKING, Any

import pytest

from agent_client.errors import NoAnswer
from agent_client.http import calls, dial
from agent_client.http.calls import Caller
from tests.agent_client.rawhttp import DEADLINE
from tests.agent_client.scripted import answering, scripted

if TYPE_CHECKING:
    from collections.abc import Iterator

NEVER = 3600.0
V4 = socket.AF_INET


@pytest.fixture
def listening() -> Iterator[dial.Address]:
    with socket.create_server(("127.0.0.1", 0)) as server:
        yield V4, server.getsockname()


@pytest.fixture
def refusing() -> Iterator[dial.Address]:
    """Bound, and not listening: nobody else can get the port meanwhile."""
    with socket.socket() as bound:
        bound.bind(("127.0.0.1", 0))
        yield V4, bound.getsockname()


class Network:
    """Addresses by name: "dead" never answers, any other connects when it is let."""

    def __init__(self) -> None:
        self.tried: list[str] = []
        self.cancelled: list[str] = []
        self.pairs: dict[str, tuple[socket.socket, socket.socket]] = {}

    async def connect(self, address: dial.Address) -> socket.socket:
        name = str(address[1][0])
        self.tried.append(name)
        try:
            if name == "dead":
                await asyncio.Event().wait()
        except asyncio.CancelledError:
            self.cancelled.append(name)
            raise
        self.pairs[name] = socket.socketpair()
        return self.pairs[name][0]


async def test_a_dead_address_costs_its_head_start_only(monkeypatch: pytest.MonkeyPatch) -> None:
    network = Network()
    monkeypatch.setattr(dial, "_connect", network.connect)
    monkeypatch.setattr(dial, "HEAD_START", 0.01)
    async with asyncio.timeout(DEADLINE):
        made = await dial.first_of([(V4, ("dead",)), (V4, ("good",)), (V4, ("spare",))])
        await asyncio.sleep(0)
    assert made is network.pairs["good"][0]
    assert (network.tried, network.cancelled) == (["dead", "good"], ["dead"])
    for end in network.pairs["good"]:
        end.close()


async def test_of_two_that_connect_together_the_second_is_closed(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    network = Network()
    both = asyncio.Event()

    async def connect(address: dial.Address) -> socket.socket:
        if address[1][0] == "two":
            both.set()
        await both.wait()
        return await network.connect(address)

    monkeypatch.setattr(dial, "_connect", connect)
    monkeypatch.setattr(dial, "HEAD_START", 0.01)
    async with asyncio.timeout(DEADLINE):
        made = await dial.first_of([(V4, ("one",)), (V4, ("two",))])
        await asyncio.sleep(0)
    ends = [network.pairs[name][0] for name in network.pairs]
    assert [end.fileno() >= 0 for end in ends] == [end is made for end in ends]
    for pair in network.pairs.values():
        for end in pair:
            end.close()


async def test_a_refusal_lets_the_next_address_begin_at_once(
    monkeypatch: pytest.MonkeyPatch, refusing: dial.Address, listening: dial.Address
) -> None:
    monkeypatch.setattr(dial, "HEAD_START", NEVER)
    async with asyncio.timeout(DEADLINE):
        made = await dial.first_of([refusing, refusing, listening])
    assert made.getpeername() == listening[1]
    made.close()


async def test_when_every_address_fails_each_one_s_reason_is_told(refusing: dial.Address) -> None:
    with pytest.raises(OSError, match=r"127\.0\.0\.1: .*refused; 127\.0\.0\.1: .*refused"):
        await dial.first_of([refusing, refusing])


async def test_a_host_that_vanishes_is_noticed(listening: dial.Address) -> None:
    made = await dial.first_of([listening])
    assert made.getsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE) == 1
    assert made.getsockopt(socket.IPPROTO_TCP, socket.TCP_USER_TIMEOUT) == 10_000
    assert made.getsockopt(socket.IPPROTO_TCP, socket.TCP_KEEPIDLE) == 5
    assert made.getsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY) == 1
    made.close()


async def test_the_families_of_a_name_are_tried_in_turn(monkeypatch: pytest.MonkeyPatch) -> None:
    six = [(socket.AF_INET6, 1, 6, "", (f"fd00::{n}", 80, 0, 0)) for n in (1, 2, 3)]
    four = [(V4, 1, 6, "", ("10.0.0.1", 80))]
    monkeypatch.setattr(socket, "getaddrinfo", names({"coordinator": [*six, *four]}))
    found = await dial.look_up("coordinator", 80)
    assert [where[0] for _, where in found] == ["fd00::1", "10.0.0.1", "fd00::2", "fd00::3"]


def names(known: dict[str, list[Any]]) -> Any:
    def getaddrinfo(host: bytes, *_: object, flags: int = 0, **__: object) -> list[Any]:
        if flags & socket.AI_NUMERICHOST or host.decode() not in known:
            raise socket.gaierror(socket.EAI_NONAME, "Name or service not known")
        return known[host.decode()]

    return getaddrinfo


async def test_a_name_is_looked_up_anew_for_each_connection(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    known: dict[str, list[Any]] = {}
    monkeypatch.setattr(socket, "getaddrinfo", names(known))
    caller = Caller("http://coordinator")
    for _ in range(2):
        async with scripted(answering) as server:
            port = int(server.url.rsplit(":", 1)[1])
            known["coordinator"] = [(V4, 1, 6, "", ("127.0.0.1", port))]
            answer = await caller.call("GET", "/", {}, within=DEADLINE)
            assert answer.status == 200
    await caller.close()


async def test_an_unknown_name_is_no_answer(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(socket, "getaddrinfo", names({}))
    with pytest.raises(NoAnswer, match="the name coordinator of http://coordinator cannot be look"):
        await Caller("http://coordinator").call("GET", "/", {}, within=DEADLINE)


async def test_a_resolver_that_hangs_is_waited_for_by_nobody(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    asked, answer, asking = threading.Event(), threading.Event(), list[threading.Thread]()

    def getaddrinfo(*_: object, flags: int = 0, **__: object) -> list[Any]:
        if flags & socket.AI_NUMERICHOST:
            raise socket.gaierror(socket.EAI_NONAME, "no number")
        asking.append(threading.current_thread())
        asked.set()
        answer.wait()
        return []

    monkeypatch.setattr(socket, "getaddrinfo", getaddrinfo)
    monkeypatch.setattr(calls, "CONNECT_WITHIN", 0.05)
    with pytest.raises(NoAnswer, match="no connection to http://coordinator within"):
        await Caller("http://coordinator").call("GET", "/", {}, within=DEADLINE)
    assert asked.wait(DEADLINE), "a thread begins when the machine lets it"
    assert [thread.daemon for thread in asking] == [True]
    answer.set()
    asking[0].join()
