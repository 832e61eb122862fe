"""The twin for threads, over real HTTP."""

from __future__ import annotations

import asyncio
import os
import signal
import sys
import threading
from typing import TYPE_CHECKING

import pytest

from agent_client.blocking import BlockingSlotClient, blocking_several
from agent_client.clock import boottime
from agent_client.errors import (
    ClientClosed,
    Refused,
    SettingsError,
    SlotLost,
    SlotTimeout,
    SlotUnconfirmed,
)
from agent_client.session import State
from tests.agent_client.fake import FakeCoordinator, problem
from tests.agent_client.server import serving, url_of

if TYPE_CHECKING:
    from collections.abc import Callable

    from aiohttp.test_utils import TestServer

LONG = 60.0
"""Seconds that only a fault takes."""
WAITS_OR_HOLDS = """
import sys
from agent_client import BlockingSlotClient
client = BlockingSlotClient(sys.argv[1], namespace="velero", node="node1")
told = lambda place: print("queued", flush=True)
try:
    with client.slot(load="l", claim="mine", on_queued=told):
        print("held", flush=True)
        import time
        time.sleep(60)
except KeyboardInterrupt:
    print("interrupted", flush=True)
"""


def client_of(server: TestServer) -> BlockingSlotClient:
    return BlockingSlotClient(url_of(server), namespace="velero", node="node1")


async def in_thread(work: Callable[[], None]) -> None:
    async with asyncio.timeout(LONG):
        await asyncio.to_thread(work)


async def test_a_slot_is_held_in_the_body_and_free_after_it() -> None:
    fake = FakeCoordinator()
    async with serving(fake) as server:

        def work() -> None:
            with client_of(server).slot(load="l", claim="a") as slot:
                assert (slot.state, slot.ordinal) == (State.HELD, 0)
                assert list(fake.holders.values()) == ["a"]

        await in_thread(work)
        assert fake.holders == {}
    assert not [t for t in threading.enumerate() if t.name == "node-slots"]


async def test_an_exception_in_the_body_gives_the_slot_back() -> None:
    fake = FakeCoordinator()
    async with serving(fake) as server:

        def work() -> None:
            with pytest.raises(ZeroDivisionError), client_of(server).slot(load="l"):
                _ = 1 / 0

        await in_thread(work)
    assert fake.holders == {}


async def test_a_lost_slot_is_told_to_the_thread() -> None:
    fake = FakeCoordinator()
    async with serving(fake) as server:
        loop = asyncio.get_running_loop()

        def work() -> None:
            with client_of(server).slot(load="l", claim="a") as slot:
                loop.call_soon_threadsafe(fake.lose, "a")
                assert slot.lost.wait(LONG)

        await in_thread(work)


async def test_several_threads_share_one_client() -> None:
    fake = FakeCoordinator(limit=2)
    async with serving(fake) as server:
        together = threading.Barrier(2, timeout=LONG)
        with client_of(server) as client:

            def work() -> None:
                with client.slot(load="l"):
                    together.wait()

            await asyncio.gather(in_thread(work), in_thread(work))
    assert fake.holders == {}
    assert len({body["boot"] for body in fake.bodies}) == 1


async def test_the_errors_are_those_of_the_asyncio_client() -> None:
    fake = FakeCoordinator(limit=0)
    fake.refusals["bad"] = problem("claim-mismatch", 409)
    async with serving(fake) as server:

        def work() -> None:
            client = client_of(server)
            with pytest.raises(SlotTimeout), client.slot(load="l", timeout=0):
                pass
            with pytest.raises(Refused), client.slot(load="l", claim="bad"):
                pass

        await in_thread(work)
    assert fake.queue == []


async def test_a_checkpoint_passes_while_held_and_raises_once_lost() -> None:
    fake = FakeCoordinator()
    async with serving(fake) as server:
        loop = asyncio.get_running_loop()
        told: list[str] = []

        def work() -> None:
            with client_of(server).slot(
                load="l", claim="a", on_lost=lambda slot: told.append(slot.claim)
            ) as slot:
                slot.checkpoint()
                loop.call_soon_threadsafe(fake.lose, "a")
                assert slot.lost.wait(LONG)
                with pytest.raises(SlotLost):
                    slot.checkpoint()

        await in_thread(work)
        assert told == ["a"]


async def test_a_checkpoint_in_doubt_asks_and_goes_on_or_gives_up_in_time() -> None:
    fake = FakeCoordinator()
    async with serving(fake) as server:
        skew = [0.0]

        def work() -> None:
            client = BlockingSlotClient(
                url_of(server),
                namespace="velero",
                node="node1",
                clock=lambda: boottime() + skew[0],
            )
            with client.slot(load="l", claim="a", ttl=60) as slot:
                fake.down = True  # or the client's thread has its answer before the next line
                skew[0] += 1000.0  # the machine slept
                assert slot.state is not State.HELD
                fake.down = False
                slot.checkpoint()
                assert slot.certain
                fake.down = True
                skew[0] += 1000.0
                with pytest.raises(SlotUnconfirmed):
                    slot.checkpoint(timeout=0.2)
                fake.down = False
                slot.checkpoint()

        await in_thread(work)
    assert fake.holders == {}


async def test_several_slots_of_one_client_and_of_two_come_together() -> None:
    fake, other = FakeCoordinator(limit=2), FakeCoordinator()
    async with serving(fake) as server, serving(other) as there:

        def work() -> None:
            client = client_of(server)
            with client.slots(["a", "b"]) as [a, b]:
                assert (a.load, b.load, len(fake.holders)) == ("a", "b", 2)
            with (
                client as kept,
                blocking_several(kept.wanted(load="c"), client_of(there).wanted(load="d")) as [
                    c,
                    d,
                ],
            ):
                c.checkpoint()
                d.checkpoint()
                assert (len(fake.holders), len(other.holders)) == (1, 1)

        await in_thread(work)
        assert (fake.holders, other.holders) == ({}, {})
    assert not [t for t in threading.enumerate() if t.name == "node-slots"]


async def test_the_last_words_leave_the_slot_held_and_end_who_waits() -> None:
    fake = FakeCoordinator()
    async with serving(fake) as server:
        queued = threading.Event()
        client = client_of(server)

        def wait() -> None:
            with (
                pytest.raises(ClientClosed),
                client.slot(load="w", claim="w", on_queued=lambda _: queued.set()),
            ):
                pass

        def work() -> None:
            with client.slot(load="l", claim="a"):
                waiter = threading.Thread(target=wait)
                waiter.start()
                assert queued.wait(LONG)
                assert client.depart(within=10)
                waiter.join(LONG)
                with pytest.raises(ClientClosed), client.slot(load="more"):
                    pass

        await in_thread(work)
    assert list(fake.holders.values()) == ["a"]
    assert fake.released == ["w"]
    assert not [t for t in threading.enumerate() if t.name == "node-slots"]


def test_a_missing_setting_is_named_when_the_client_is_made(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.delenv("NODE_NAME", raising=False)
    with pytest.raises(SettingsError, match="--node or set NODE_SLOTS_NODE or NODE_NAME"):
        BlockingSlotClient("http://127.0.0.1:8443", namespace="velero")


@pytest.mark.parametrize(("limit", "said"), [(0, "queued"), (1, "held")])
async def test_an_interrupt_leaves_the_queue_or_gives_the_slot_back(limit: int, said: str) -> None:
    fake = FakeCoordinator(limit)
    async with serving(fake) as server, asyncio.timeout(LONG):
        process = await asyncio.create_subprocess_exec(
            *(sys.executable, "-c", WAITS_OR_HOLDS, url_of(server)),
            stdout=asyncio.subprocess.PIPE,
            env={"PATH": os.environ["PATH"]},
        )
        assert process.stdout is not None
        try:
            assert (await process.stdout.readline()).decode().strip() == said
            process.send_signal(signal.SIGINT)
            out, _ = await process.communicate()
        finally:
            if process.returncode is None:
                process.kill()
                await process.communicate()
        assert out.decode().strip() == "interrupted"
        assert process.returncode == 0
    assert (fake.queue, fake.holders) == ([], {})
    assert "mine" in fake.released
