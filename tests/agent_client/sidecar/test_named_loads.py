"""`PUT`, `GET` and `DELETE /v1/slots/{load}`: a slot that is there until it is deleted."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any

import pytest

from tests.agent_client.fake import problem
from tests.agent_client.scene import until
from tests.agent_client.sidecar.scene import Client, play
from tests.agent_client.virtual import now

if TYPE_CHECKING:
    from tests.agent_client.sidecar.node import NodeCoordinator


def kind(body: dict[str, Any]) -> str:
    return str(body["type"].rsplit("/", 1)[1])


def test_a_put_that_waits_is_granted_and_a_delete_gives_it_back() -> None:
    async def scenario(client: Client, fake: NodeCoordinator) -> None:
        status, slot = await client.named("PUT", "mover/3", wait="10")
        assert (status, slot["load"], slot["state"], slot["slot"]) == (200, "mover/3", "granted", 0)
        assert slot["claim"] == fake.holders[0]
        assert slot["claim"].startswith("sidecar-")
        assert await client.named("GET", "mover/3") == (200, slot)
        assert await client.named("PUT", "mover/3") == (200, slot)
        assert await client.named("DELETE", "mover/3") == (204, {})
        assert fake.holders == {}
        status, body = await client.named("GET", "mover/3")
        assert (status, kind(body)) == (404, "unknown-load")

    play(scenario)


def test_two_puts_of_one_name_at_once_are_one_claim() -> None:
    async def scenario(client: Client, fake: NodeCoordinator) -> None:
        puts = [client.named("PUT", "a", wait="10") for _ in range(20)]
        answers = await asyncio.gather(*puts)
        assert len({answer[1]["claim"] for answer in answers}) == 1
        assert len(fake.claims_of("a")) == 1

    play(scenario, limit=5)


def test_a_put_without_wait_is_queued_at_once_and_a_get_waits_for_the_change() -> None:
    async def scenario(client: Client, fake: NodeCoordinator) -> None:
        first = await client.granted("other")
        status, body = await client.named("PUT", "a")
        assert (status, body["state"]) == (202, "queued")
        began = now()
        assert (await client.named("GET", "a", wait="7"))[0] == 202
        assert now() - began == pytest.approx(7)
        waiting = asyncio.create_task(client.named("GET", "a", wait="55"))
        await asyncio.sleep(3)
        await first.close()
        status, body = await waiting
        assert (status, body["state"]) == (200, "granted")
        assert now() - began < 12

    play(scenario)


def test_deleted_and_put_at_once_it_is_a_new_generation() -> None:
    async def scenario(client: Client, fake: NodeCoordinator) -> None:
        _, first = await client.named("PUT", "a", wait="10")
        gone = asyncio.create_task(client.named("DELETE", "a"))
        await asyncio.sleep(0)
        _, second = await client.named("PUT", "a", wait="10")
        assert await gone == (204, {})
        assert (first["claim"][:-2], first["claim"][-2:]) == (second["claim"][:-2], ".0")
        assert second["claim"].endswith(".1")
        assert second["fencingToken"] > first["fencingToken"]
        assert list(fake.holders.values()) == [second["claim"]]

    play(scenario)


def test_after_the_coordinator_forgot_the_released_ids_the_first_one_is_used_again() -> None:
    async def scenario(client: Client, fake: NodeCoordinator) -> None:
        for _ in range(3):
            await client.named("PUT", "a", wait="10")
            await client.named("DELETE", "a")
        await asyncio.sleep(151)
        fake.released.clear()
        _, slot = await client.named("PUT", "a", wait="10")
        assert slot["claim"].endswith(".0")

    play(scenario)


def test_a_delete_from_the_queue_leaves_it() -> None:
    async def scenario(client: Client, fake: NodeCoordinator) -> None:
        await client.granted("other")
        await client.named("PUT", "a", wait="1")
        assert await client.named("DELETE", "a") == (204, {})
        assert fake.queue == []

    play(scenario)


def test_a_release_that_takes_long_is_told_and_goes_on() -> None:
    async def scenario(client: Client, fake: NodeCoordinator) -> None:
        await client.named("PUT", "a", wait="10")
        fake.down = True
        fake.touch()
        began = now()
        assert await client.named("DELETE", "a") == (202, {"load": "a", "state": "releasing"})
        assert now() - began == pytest.approx(5)
        assert (await client.overview())["slots"][0]["state"] == "releasing"
        await asyncio.sleep(600)
        fake.down = False
        assert await client.named("DELETE", "a") == (204, {})
        assert fake.holders == {}
        assert (await client.named("DELETE", "a"))[0] == 404

    play(scenario)


def test_a_lost_slot_is_told_once_then_the_name_is_free() -> None:
    async def scenario(client: Client, fake: NodeCoordinator) -> None:
        _, first = await client.named("PUT", "a", wait="10")
        waiting = asyncio.create_task(client.named("GET", "a", wait="50"))
        await asyncio.sleep(1)
        fake.lose(first["claim"])
        status, body = await waiting
        assert (status, kind(body)) == (409, "slot-lost")
        assert (await client.named("GET", "a"))[0] == 404
        status, second = await client.named("PUT", "a", wait="10")
        assert (status, second["state"]) == (200, "granted")
        assert second["claim"] != first["claim"]

    play(scenario)


def test_who_comes_late_is_still_told_of_the_loss() -> None:
    async def scenario(client: Client, fake: NodeCoordinator) -> None:
        _, slot = await client.named("PUT", "a", wait="10")
        fake.lose(slot["claim"])
        await asyncio.sleep(3000)
        assert client.spoken_for == 0
        status, body = await client.named("PUT", "a", {"priority": 9})
        assert (status, kind(body)) == (409, "slot-lost")
        assert fake.released == []

    play(scenario)


def test_a_timeout_counts_from_the_first_put() -> None:
    async def scenario(client: Client, fake: NodeCoordinator) -> None:
        await client.granted("other")
        await client.named("PUT", "a", {"timeoutSeconds": 60})
        await asyncio.sleep(40)
        began = now()
        status, body = await client.named("PUT", "a", {"timeoutSeconds": 60}, wait="50")
        assert (status, kind(body)) == (408, "slot-timeout")
        assert now() - began == pytest.approx(20, abs=1)
        await until(lambda: not fake.queue)

    play(scenario)


def test_a_refusal_is_the_coordinators_own_problem() -> None:
    async def scenario(client: Client, fake: NodeCoordinator) -> None:
        fake.judge = lambda body: fake.refusals.update(
            {element["claim"]: problem("pod-finished", 410) for element in body["claims"]}
        )
        status, body = await client.named("PUT", "a", wait="10")
        assert (status, kind(body)) == (410, "pod-finished")

    play(scenario)


@pytest.mark.parametrize(
    ("change", "field"),
    [
        ({"priority": 6}, "priority"),
        ({"ttlSeconds": 61}, "ttlSeconds"),
        ({"uid": "other"}, "uid"),
        ({"pod": {"namespace": "velero", "name": "other"}}, "pod"),
    ],
)
def test_a_name_means_one_thing(change: dict[str, Any], field: str) -> None:
    body = {"priority": 5, "ttlSeconds": 60, "uid": "u"}

    async def scenario(client: Client, fake: NodeCoordinator) -> None:
        await client.named("PUT", "a", body, wait="10")
        status, told = await client.named("PUT", "a", body | change)
        assert (status, kind(told)) == (409, "claim-mismatch")
        assert told["errors"][0]["field"] == field
        assert (await client.named("GET", "a"))[0] == 200
        assert len(fake.claims_of("a")) == 1

    play(scenario)


def test_a_load_deleted_by_another_client_is_unknown_to_who_waits_for_it() -> None:
    async def scenario(client: Client, fake: NodeCoordinator) -> None:
        await client.granted("other")
        waiting = asyncio.create_task(client.named("PUT", "a", wait="50"))
        await asyncio.sleep(2)
        await client.named("DELETE", "a")
        status, body = await waiting
        assert (status, kind(body)) == (404, "unknown-load")

    play(scenario)


def test_a_put_whose_client_goes_stays() -> None:
    async def scenario(client: Client, fake: NodeCoordinator) -> None:
        first = await client.granted("other")
        waiting = asyncio.create_task(client.named("PUT", "a", wait="50"))
        await asyncio.sleep(2)
        waiting.cancel()
        await first.close()
        await until(lambda: fake.held() == ["a"])
        await asyncio.sleep(3600)
        assert fake.held() == ["a"]

    play(scenario, at_most=8000)


@pytest.mark.parametrize(
    ("method", "path", "status", "allow"),
    [
        ("DELETE", "/v1/slots", 405, "GET, POST"),
        ("POST", "/v1/slots/a", 405, "GET, PUT, DELETE"),
        ("POST", "/livez", 405, "GET"),
        ("GET", "/v2", 404, None),
        ("PUT", "/v1/slots/", 400, None),
        ("PUT", "/v1/slots/%FF", 400, None),
    ],
)
def test_what_there_is_not_is_said(method: str, path: str, status: int, allow: str | None) -> None:
    async def scenario(client: Client, fake: NodeCoordinator) -> None:
        answer = await client.answer(method, path)
        assert not hasattr(answer, "lines")
        assert answer.status == status
        assert dict(answer.headers).get("Allow") == allow

    play(scenario)
