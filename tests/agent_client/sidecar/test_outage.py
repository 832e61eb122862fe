"""While no coordinator answers: what clients are told, and what each of them has chosen."""

from __future__ import annotations

import asyncio

from agent_client.messages import Reply
from agent_client.sidecar.requests import Defaults
from tests.agent_client.fake import problem
from tests.agent_client.scene import until
from tests.agent_client.sidecar.node import NodeCoordinator
from tests.agent_client.sidecar.scene import POD, Client, play, running
from tests.agent_client.virtual import in_virtual_time

SILENCE = "no coordinator answers; asking again"


def test_a_waiting_stream_says_that_nobody_answers_and_goes_on_when_somebody_does() -> None:
    async def scenario(client: Client, fake: NodeCoordinator) -> None:
        fake.down = True
        waiting = await client.post("a")
        await until(lambda: waiting.last.get("reason") == SILENCE)
        status, why = await client.look("/readyz")
        assert status == 503
        assert why.startswith("no coordinator has answered for ")
        told = (await client.overview())["coordinator"]
        assert (told["answers"], told["silentSeconds"] >= 0) == (False, True)
        fake.down = False
        await waiting.reaches("granted")
        while await client.look("/readyz") != (200, "ok\n"):  # noqa: ASYNC110 - virtual time
            await asyncio.sleep(1)  # what was held before is asked for again

    play(scenario)


def test_each_request_chooses_what_an_outage_means_for_it() -> None:
    async def scenario(client: Client, fake: NodeCoordinator) -> None:
        fake.down = True
        fails = await client.post("a", ifUnavailable="fail", unavailableAfterSeconds=10)
        runs = await client.post("b", ifUnavailable="run", unavailableAfterSeconds=20)
        waits = await client.post("c")
        await until(lambda: fails.ended)
        assert fails.last["problem"]["type"].endswith("/no-coordinator")
        assert (fails.last["state"], fails.last["problem"]["status"]) == ("unavailable", 503)
        await runs.reaches("granted")
        assert (runs.last["governed"], runs.last["slot"]) == (False, None)
        assert waits.last["state"] == "queued"
        metrics = (await client.look("/metrics"))[1]
        assert 'nodeslots_agent_slots{state="without_slot"} 1' in metrics
        assert "nodeslots_agent_without_slot_total 1" in metrics
        assert "nodeslots_agent_coordinator_up 0" in metrics
        await runs.close()
        fake.down = False
        await waits.reaches("granted")
        assert fake.held() == ["c"]

    play(scenario)


def test_the_sidecars_flag_holds_where_a_request_says_nothing() -> None:
    async def scenario(client: Client, fake: NodeCoordinator) -> None:
        fake.down = True
        fails = await client.post("a")
        await until(lambda: fails.ended)
        assert fails.last["state"] == "unavailable"

    play(scenario, defaults=Defaults(if_unavailable="fail", unavailable_after=5.0, pod=POD))


def test_named_loads_choose_too_before_the_coordinator_was_ever_reached() -> None:
    async def whole() -> None:
        fake = NodeCoordinator()
        fake.down = True
        async with running(fake) as client:
            run = {"ifUnavailable": "run", "unavailableAfterSeconds": 5}
            fail = {"ifUnavailable": "fail", "unavailableAfterSeconds": 5}
            limited = {"timeoutSeconds": 6}
            answers = await asyncio.gather(
                client.named("PUT", "a", run, wait="10"),
                client.named("PUT", "b", fail, wait="10"),
                client.named("PUT", "c", limited, wait="10"),
                client.named("PUT", "d", wait="10"),
            )
            assert [status for status, _ in answers] == [200, 503, 408, 202]
            assert answers[0][1]["governed"] is False
            assert answers[3][1]["reason"] == SILENCE
            assert "nodeslots_agent_without_slot_total 1" in (await client.look("/metrics"))[1]
            fake.down = False
            assert (await client.named("PUT", "d", wait="20"))[0] == 200
            assert (await client.named("GET", "a"))[1]["governed"] is False
            assert await client.named("DELETE", "a") == (204, {})
            assert fake.held() == ["d"]

    in_virtual_time(whole())


def test_one_that_runs_without_a_slot_gets_the_one_that_it_had() -> None:
    async def whole() -> None:
        fake = NodeCoordinator()
        async with running(fake) as client:
            await client.named("PUT", "a", wait="10")
        fake.down = True
        async with running(fake) as client:
            body = {"ifUnavailable": "run", "unavailableAfterSeconds": 5}
            assert (await client.named("PUT", "a", body, wait="10"))[1]["governed"] is False
            fake.down = False
            await asyncio.sleep(10)
            _, slot = await client.named("GET", "a")
            assert (slot["governed"], slot["claim"]) == (True, fake.holders[0])

    in_virtual_time(whole())


def test_with_no_loads_the_coordinator_is_asked_now_and_then() -> None:
    async def scenario(client: Client, fake: NodeCoordinator) -> None:
        await asyncio.sleep(300)
        assert 8 <= len(fake.paths) <= 11
        fake.down = True
        await asyncio.sleep(40)
        assert (await client.look("/readyz"))[0] == 503
        fake.down = False
        await asyncio.sleep(10)
        assert await client.look("/readyz") == (200, "ok\n")
        fake.lookups = Reply(404, problem("unknown-node", 404))
        await asyncio.sleep(40)
        assert "unknown node" in (await client.look("/readyz"))[1]
        assert await client.look("/livez") == (200, "ok\n")

    play(scenario)


def test_with_loads_it_is_not_asked_beside_them() -> None:
    async def scenario(client: Client, fake: NodeCoordinator) -> None:
        await client.granted("a")
        count = len(fake.paths)
        await asyncio.sleep(600)
        assert len(fake.paths) == count

    play(scenario)
