"""SIGTERM: no more loads, what is held is kept for a while, and nothing of it is released."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass
from typing import TYPE_CHECKING

import pytest

from agent_client.sidecar.service import Sidecar, Stop
from tests.agent_client.scene import until
from tests.agent_client.sidecar.node import NodeCoordinator
from tests.agent_client.sidecar.scene import Client, sidecar_of
from tests.agent_client.virtual import in_virtual_time, now

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable


@dataclass
class Life:
    """A sidecar at work, and how to end it."""

    sidecar: Sidecar
    stop: Stop
    task: asyncio.Task[None]


def stopping(
    scenario: Callable[[Client, NodeCoordinator, Life], Awaitable[None]], limit: int = 1
) -> None:
    async def whole() -> None:
        fake, stop = NodeCoordinator(limit), Stop()
        sidecar = sidecar_of(fake)
        life = Life(sidecar, stop, asyncio.create_task(sidecar.run(stop)))
        await scenario(Client(sidecar), fake, life)
        await life.task

    in_virtual_time(whole())


def last_words(fake: NodeCoordinator) -> list[dict[str, object]]:
    return [element for element in fake.bodies[-1]["claims"] if element.get("ending")]


def test_with_nothing_held_it_ends_at_once() -> None:
    async def scenario(client: Client, fake: NodeCoordinator, life: Life) -> None:
        await asyncio.sleep(1)
        life.stop.ask()
        await life.task
        assert now() < 1.1

    stopping(scenario)


def test_what_is_held_is_kept_and_its_coordinator_told_that_it_may_be_over() -> None:
    async def scenario(client: Client, fake: NodeCoordinator, life: Life) -> None:
        held = await client.granted("a")
        await client.named("PUT", "b", wait="5")
        life.stop.ask()
        await held.reaches("ending")
        assert (await client.look("/readyz"))[0] == 503
        began = now()
        await life.task
        assert now() - began == pytest.approx(25, abs=1)
        assert len(last_words(fake)) == 2
        await held.close()
        assert len(fake.holders) == 2
        assert fake.released == []

    stopping(scenario, limit=2)


def test_it_ends_when_the_last_slot_is_given_back() -> None:
    async def scenario(client: Client, fake: NodeCoordinator, life: Life) -> None:
        held = await client.granted("a")
        await client.named("PUT", "b", wait="5")
        life.stop.ask()
        await asyncio.sleep(5)
        await held.close()
        assert await client.named("DELETE", "b") == (204, {})
        await life.task
        assert now() < 7
        await until(lambda: not fake.holders)

    stopping(scenario, limit=2)


def test_who_waits_is_sent_away_and_no_load_is_taken() -> None:
    async def scenario(client: Client, fake: NodeCoordinator, life: Life) -> None:
        held = await client.granted("a")
        waiting = await client.post("b")
        await until(lambda: waiting.last.get("position") == 1)
        life.stop.ask()
        await until(lambda: waiting.ended)
        assert waiting.states == ["queued", "queued", "ending"]
        assert held.states == ["queued", "granted", "ending"]
        for method, path in (("POST", "/v1/slots"), ("PUT", "/v1/slots/c")):
            status, body = await client.ask(method, path, {"load": "c"} if method == "POST" else {})
            assert (status, body["type"].rsplit("/", 1)[1]) == (503, "stopping")
        await held.close()

    stopping(scenario)


def test_a_slot_lost_while_it_drains_is_told() -> None:
    async def scenario(client: Client, fake: NodeCoordinator, life: Life) -> None:
        held = await client.granted("a")
        life.stop.ask()
        await held.reaches("ending")
        fake.lose(fake.holders[0])
        await until(lambda: held.ended)
        assert held.last["state"] == "lost"
        await life.task
        assert now() < 5

    stopping(scenario)


def test_the_second_word_ends_it_at_once() -> None:
    async def scenario(client: Client, fake: NodeCoordinator, life: Life) -> None:
        held = await client.granted("a")
        life.stop.ask()
        life.stop.ask()
        began = now()
        await life.task
        assert now() - began <= 1
        assert len(last_words(fake)) == 1
        await held.close()
        assert len(fake.holders) == 1

    stopping(scenario)


def test_with_no_coordinator_in_reach_the_last_words_take_a_second_at_most() -> None:
    async def scenario(client: Client, fake: NodeCoordinator, life: Life) -> None:
        held = await client.granted("a")
        fake.stop()
        life.stop.ask()
        life.stop.ask()
        began = now()
        await life.task
        assert now() - began == pytest.approx(1, abs=0.2)
        await held.close()

    stopping(scenario)


def test_what_breaks_the_client_ends_the_sidecar() -> None:
    async def scenario(client: Client, fake: NodeCoordinator, life: Life) -> None:
        held = await client.granted("a")
        broken = life.sidecar._client
        assert broken._runner is not None
        broken._runner.cancel()
        with pytest.raises(Exception, match="closed"):
            await life.task
        await held.close()
        life.stop.ask()

    with pytest.raises(Exception, match="closed"):
        stopping(scenario)
