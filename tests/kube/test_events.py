"""Events reach `kubectl describe`, count up, stay few, and never fail their teller."""

from __future__ import annotations

import asyncio
from random import Random
from typing import TYPE_CHECKING, Any

import orjson
import pytest

from coordinator.kube.events import BURST, REFILL, EventRecorder, ObjectRef
from tests.kube.fakes import Clock, FakeServer, answer, status

if TYPE_CHECKING:
    from coordinator.kube import errors
    from coordinator.kube.client import KubeClient

CONFIG = ObjectRef("ConfigMap", "limits", "default", "uid-1")
EVENTS = "/api/v1/namespaces/default/events"


def recorder(
    client: KubeClient,
    clock: Clock,
    failed: list[errors.ApiError] | None = None,
    paced: tuple[str, ...] = (),
) -> EventRecorder:
    return EventRecorder(
        client,
        instance="coordinator-0",
        now=lambda: "2026-01-02T03:04:05Z",
        clock=clock,
        rng=Random(1),
        failed=(failed if failed is not None else []).append,
        paced=paced,
    )


async def events_of(client: KubeClient) -> list[dict[str, Any]]:
    items: list[dict[str, Any]] = (await client.request("GET", EVENTS))["items"]
    return items


async def test_the_same_news_counts_up_in_one_event(cluster: KubeClient) -> None:
    events = recorder(cluster, Clock())
    for _ in range(3):
        await events.tell(CONFIG, "InvalidConfig", "number is no int")
    (event,) = await events_of(cluster)
    assert (event["type"], event["reason"], event["count"]) == ("Warning", "InvalidConfig", 3)
    assert event["message"] == "number is no int"
    assert event["involvedObject"] == {
        "apiVersion": "v1",
        "kind": "ConfigMap",
        "name": "limits",
        "namespace": "default",
        "uid": "uid-1",
    }


async def test_the_same_news_told_again_before_it_was_written_counts_up_too(
    cluster: KubeClient,
) -> None:
    events = recorder(cluster, Clock())
    await asyncio.gather(*(events.tell(CONFIG, "InvalidConfig", "x") for _ in range(3)))
    (event,) = await events_of(cluster)
    assert event["count"] == 3


async def test_other_news_is_another_event(cluster: KubeClient) -> None:
    events = recorder(cluster, Clock())
    await events.tell(CONFIG, "InvalidConfig", "number is no int")
    await events.tell(CONFIG, "ConfigLoaded", "limits are back", "Normal")
    await events.tell(ObjectRef("Node", "node1"), "InvalidConfig", "number is no int")
    assert sorted(event["type"] for event in await events_of(cluster)) == [
        "Normal",
        "Warning",
        "Warning",
    ]


async def test_an_event_that_the_server_forgot_is_made_anew(
    fake: FakeServer, client: KubeClient
) -> None:
    events = recorder(client, Clock())
    fake.then(answer(201), answer(404, status(404, "NotFound")), answer(201))
    await events.tell(CONFIG, "InvalidConfig", "x")
    await events.tell(CONFIG, "InvalidConfig", "x")
    assert [asked.method for asked in fake.asked] == ["POST", "PATCH", "POST"]
    assert orjson.loads(fake.asked[2].body)["count"] == 1


async def test_a_flood_is_cut_and_counted(fake: FakeServer, client: KubeClient) -> None:
    clock = Clock()
    events = recorder(client, clock)
    fake.then(*[answer(200) for _ in range(BURST + 1)])
    for _ in range(100):
        await events.tell(CONFIG, "InvalidConfig", "x")
    assert len(fake.asked) == BURST
    clock.advance(REFILL)
    await events.tell(CONFIG, "InvalidConfig", "x")
    assert orjson.loads(fake.asked[-1].body)["count"] == 101


@pytest.mark.parametrize("code", [403, 429, 500])
async def test_a_failure_is_told_and_raises_nothing(
    code: int, fake: FakeServer, client: KubeClient
) -> None:
    failed: list[errors.ApiError] = []
    fake.then(answer(code, status(code, "")))
    await recorder(client, Clock(), failed).tell(CONFIG, "InvalidConfig", "x")
    assert [error.status for error in failed] == [code]


async def test_a_reason_that_its_teller_paces_is_not_cut_and_costs_the_others_nothing(
    fake: FakeServer, client: KubeClient
) -> None:
    events = recorder(client, Clock(), paced=("SlotWaiting",))
    fake.then(*[answer(201) for _ in range(4 * BURST)])
    for number in range(3 * BURST):
        await events.tell(CONFIG, "SlotWaiting", f"load {number} waits")
    assert len(fake.asked) == 3 * BURST
    for number in range(2 * BURST):
        await events.tell(CONFIG, "InvalidConfig", f"number {number}")
    assert len(fake.asked) == 4 * BURST


async def test_memory_is_bounded(fake: FakeServer, client: KubeClient) -> None:
    events = recorder(client, Clock())
    fake.then(*[answer(200) for _ in range(BURST)])
    for number in range(1000):
        await events.tell(CONFIG, "InvalidConfig", f"number {number}")
    assert len(events._told) <= 256


async def test_a_long_name_and_message_are_cut(cluster: KubeClient) -> None:
    about = ObjectRef("Node", "n" * 200 + "." + "n" * 52)
    await recorder(cluster, Clock()).tell(about, "X", "y" * 5000)
    (event,) = await events_of(cluster)
    assert len(event["metadata"]["name"]) <= 253
    assert len(event["message"]) == 1024
