"""`POST /v1/slots`: the slot is held while the connection is open."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

from tests.agent_client.fake import problem
from tests.agent_client.scene import until
from tests.agent_client.sidecar.scene import POD, Client, play
from tests.agent_client.virtual import now

if TYPE_CHECKING:
    from tests.agent_client.sidecar.node import NodeCoordinator


def test_a_free_slot_is_granted_and_a_closed_connection_frees_it() -> None:
    async def scenario(client: Client, fake: NodeCoordinator) -> None:
        first = await client.granted("a")
        claim = fake.claims_of("a")[0]
        assert first.lines[0] == {
            "state": "queued",
            "position": None,
            "reason": "asking the coordinator",
            "holders": [],
            "waitedSeconds": 0.0,
        }
        assert first.last == {
            "state": "granted",
            "slot": 0,
            "lease": "node1-slot-0",
            "fencingToken": fake.tokens[claim],
            "governed": True,
            "claim": claim,
            "namespace": "velero",
            "node": "node1",
        }
        assert fake.elements[claim]["pod"] == POD.body()
        await first.close()
        await until(lambda: not fake.holders)
        assert fake.released == [claim]

    play(scenario)


def test_the_queue_moves_on_and_each_place_is_told() -> None:
    async def scenario(client: Client, fake: NodeCoordinator) -> None:
        first = await client.granted("a")
        second, third = await client.post("b"), await client.post("c")
        await until(lambda: third.last.get("position") == 2)
        assert third.last["holders"] == fake.claims_of("a")
        assert third.last["reason"] == "1 of 1 slots of node1 are held"
        await first.close()
        await second.reaches("granted")
        await until(lambda: third.last.get("position") == 1)
        assert second.states == ["queued", "queued", "granted"]

    play(scenario)


def test_a_ttl_that_changes_is_no_line_for_it_is_in_none() -> None:
    async def scenario(client: Client, fake: NodeCoordinator) -> None:
        first = await client.granted("a")
        told = len(first.lines)
        fake.longest_ttl = 45
        await until(lambda: len(fake.bodies) > 3)
        assert len(first.lines) == told

    play(scenario)


def test_a_client_killed_in_the_queue_leaves_it() -> None:
    async def scenario(client: Client, fake: NodeCoordinator) -> None:
        await client.granted("a")
        waiting = await client.post("b")
        await until(lambda: waiting.last.get("position") == 1)
        await waiting.close()
        await until(lambda: not fake.queue)
        assert fake.held() == ["a"]

    play(scenario)


def test_a_client_killed_before_the_first_answer_leaves_nothing() -> None:
    async def scenario(client: Client, fake: NodeCoordinator) -> None:
        fake.delay = 1.0
        waiting = await client.post("a")
        await until(lambda: fake.claims_of("a"))
        await waiting.close()
        await until(lambda: not fake.holders and not fake.queue)
        assert (await client.overview())["slots"] == []

    play(scenario)


def test_a_connection_that_nobody_reads_is_no_claim() -> None:
    """The generator of such an answer never begins, so it could not give anything back."""

    async def scenario(client: Client, fake: NodeCoordinator) -> None:
        answer = await client.answer("POST", "/v1/slots", {"load": "a"})
        await asyncio.sleep(5)
        assert fake.claims_of("a") == []
        assert hasattr(answer, "lines")
        await answer.lines.aclose()

    play(scenario)


def test_a_lost_slot_is_the_last_line_and_releases_nothing() -> None:
    async def scenario(client: Client, fake: NodeCoordinator) -> None:
        held = await client.granted("a")
        fake.lose(fake.claims_of("a")[0])
        await until(lambda: held.ended)
        assert held.states == ["queued", "granted", "lost"]
        assert held.last["problem"]["type"].endswith("/slot-lost")
        assert fake.released == []

    play(scenario)


def test_a_refusal_is_the_last_line_with_the_coordinators_own_problem() -> None:
    async def scenario(client: Client, fake: NodeCoordinator) -> None:
        fake.judge = lambda body: fake.refusals.update(
            {element["claim"]: problem("pod-finished", 410) for element in body["claims"]}
        )
        refused = await client.post("a")
        await until(lambda: refused.ended)
        assert refused.last["problem"]["type"].endswith("/pod-finished")
        assert (refused.last["state"], refused.last["problem"]["status"]) == ("refused", 410)

    play(scenario)


def test_a_timeout_leaves_the_queue_and_says_so() -> None:
    async def scenario(client: Client, fake: NodeCoordinator) -> None:
        await client.granted("a")
        began = now()
        waiting = await client.post("b", timeoutSeconds=30)
        await until(lambda: waiting.ended)
        assert 30 <= now() - began < 31
        assert waiting.last["problem"]["status"] == 408
        assert "'b' got no slot within 30 s" in waiting.last["problem"]["detail"]
        await until(lambda: not fake.queue)

    play(scenario)


def test_a_silent_coordinator_makes_a_slot_unconfirmed_and_an_answer_takes_that_back() -> None:
    async def scenario(client: Client, fake: NodeCoordinator) -> None:
        held = await client.granted("a")
        fake.down = True
        fake.touch()
        await held.reaches("unconfirmed")
        assert held.last["fencingToken"] == held.lines[1]["fencingToken"]
        fake.down = False
        await held.reaches("granted")
        assert held.states == ["queued", "granted", "unconfirmed", "granted"]

    play(scenario)


def test_who_reads_late_sees_only_how_it_is() -> None:
    """A client that reads slowly costs no memory: what is over is not kept for it."""

    async def scenario(client: Client, fake: NodeCoordinator) -> None:
        first = await client.granted("a")
        answer = await client.answer("POST", "/v1/slots", {"load": "b"})
        assert hasattr(answer, "lines")
        assert b"asking" in await anext(answer.lines)
        await until(lambda: fake.queue)
        await first.close()
        await until(lambda: fake.held() == ["b"])
        await asyncio.sleep(1)
        assert b"granted" in await anext(answer.lines)
        await answer.lines.aclose()

    play(scenario)


def test_the_thousand_and_first_load_is_sent_away() -> None:
    async def scenario(client: Client, fake: NodeCoordinator) -> None:
        loads = [await client.post(f"load-{n}") for n in range(1000)]
        await until(lambda: len(fake.queue) + len(fake.holders) == 1000)
        status, body = await client.ask("POST", "/v1/slots", {"load": "one more"})
        assert (status, body["type"].rsplit("/", 1)[1]) == (429, "too-many-loads")
        for load in loads:
            await load.close()
        await until(lambda: not fake.queue and not fake.holders)
        await client.granted("one more")

    play(scenario)


def test_two_hundred_loads_never_hold_more_than_the_limit_and_go_in_order() -> None:
    async def scenario(client: Client, fake: NodeCoordinator) -> None:
        order: list[int] = []
        running: set[int] = set()

        async def worker(number: int) -> None:
            connected = await client.post(f"load-{number}")
            await connected.reaches("granted")
            order.append(number)
            running.add(number)
            assert len(running) <= 3
            await asyncio.sleep(2)
            running.discard(number)
            await connected.close()

        async with asyncio.TaskGroup() as group:
            for number in range(200):
                group.create_task(worker(number))
                await asyncio.sleep(0.05)
        assert order == list(range(200))
        await until(lambda: not fake.holders)

    play(scenario, limit=3)
