"""On the real API server: the sidecar and its example clients, with everything at work."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

import pytest

from tests.e2e.holds import Hold, judge, overtaken
from tests.e2e.sidecars import serve
from tests.e2e.test_real_evidence import reclaims
from tests.e2e.waiting import DEADLINE, until
from tests.examples import workers

if TYPE_CHECKING:
    from tests.e2e.cluster import Cluster
    from tests.e2e.processes import Site

pytestmark = pytest.mark.real


def test_workers_in_all_languages_share_the_slots_of_their_node(
    site: Site, cluster: Cluster
) -> None:
    sidecar = serve(site, 2)
    running = [
        sidecar.work(language, *(f"{language}/{number}" for number in range(3)), seconds=0.1)
        for language in ("go", "python", "sh", "bash")
    ]
    until(lambda: len(sidecar.slots()) >= 4, "they all ask")
    site.journal.end_all()

    assert [program.exit_code() for program in running] == [0] * 4, running[0].output
    entries = site.journal.entries
    assert len(site.journal.started) == len(set(site.journal.started)) == 12
    assert site.journal.most_at_once(sidecar.node) == 2
    assert {entry.slot["SLOT_LEASE"] for entry in entries} == set(cluster.leases())
    tokens = [entry.slot["SLOT_FENCING_TOKEN"] for entry in entries if entry.event == "start"]
    assert len(set(tokens)) == 12
    until(lambda: cluster.holders() == {}, "all slots are free")


async def test_two_hundred_loads_run_three_at_once_and_in_the_order_in_which_they_queued(
    site: Site, cluster: Cluster
) -> None:
    sidecar = await asyncio.to_thread(serve, site, 3)
    queued: asyncio.Queue[int] = asyncio.Queue()
    holds: list[Hold] = []
    claims: dict[int, str] = {}

    async def run(number: int) -> None:
        async with sidecar.ask(f"load-{number}") as stream:
            queued.put_nowait(number)
            claims[number] = (await stream.until("granted"))["claim"]
            await stream.work(holds, 0.01)

    async with asyncio.timeout(2 * DEADLINE), asyncio.TaskGroup() as group:
        for number in range(200):
            group.create_task(run(number))
            assert await queued.get() == number

    by_claim = {hold.claim: hold for hold in holds}
    assert len(by_claim) == len(holds) == 200
    assert judge(holds, 3) == []
    assert overtaken([by_claim[claims[number]] for number in range(200)]) == []
    await asyncio.to_thread(until, lambda: cluster.holders() == {}, "all slots are free")


async def test_without_a_coordinator_each_request_says_what_is_to_be_done(
    site: Site, cluster: Cluster
) -> None:
    sidecar = await asyncio.to_thread(serve, site, 1)
    await asyncio.to_thread(site.stop)
    soon = {"unavailableAfterSeconds": 1}
    async with (
        asyncio.timeout(2 * DEADLINE),
        sidecar.ask("waits") as waiting,
        sidecar.ask("runs", ifUnavailable="run", **soon) as running,
        sidecar.ask("fails", ifUnavailable="fail", **soon) as failing,
    ):
        slot = await running.until("granted")
        assert (slot["governed"], slot["slot"], slot["lease"]) == (False, None, None)
        no = await failing.until("unavailable")
        assert no["problem"]["type"].endswith("/no-coordinator")
        while "no coordinator" not in waiting.line["reason"]:
            await waiting.next()
        body = {"ifUnavailable": "fail", **soon}
        named = await asyncio.to_thread(sidecar.api.put, "/v1/slots/named?wait=50", body)
        assert named.problem == (503, "no-coordinator")

        await asyncio.to_thread(site.start)
        hold = await waiting.granted()
        assert cluster.holders() == {hold.lease: "waits"}
    await asyncio.to_thread(until, lambda: cluster.holders() == {}, "all slots are free")


async def test_a_sidecar_told_to_stop_takes_no_load_waits_for_its_holders_and_gives_all_back(
    site: Site, cluster: Cluster
) -> None:
    sidecar = await asyncio.to_thread(serve, site, 1)
    async with (
        asyncio.timeout(2 * DEADLINE),
        sidecar.ask("one") as one,
        sidecar.ask("two") as two,
    ):
        await one.granted()
        program = sidecar.tell_to_stop()
        await two.until("ending")
        await one.until("ending")
        late = await asyncio.to_thread(sidecar.api.post, "/v1/slots", {"load": "late"})
        assert late.problem == (503, "stopping")
        assert program.is_running()
        assert list(cluster.holders().values()) == ["one"]
    assert await asyncio.to_thread(program.exit_code) == 0
    assert cluster.holders() == {}
    assert reclaims(cluster) == {}


def test_the_python_clients_named_slot_is_there_until_it_is_deleted(
    site: Site, cluster: Cluster
) -> None:
    sidecar = serve(site, 1)
    client = workers.python_client().Sidecar(str(sidecar.socket))
    first = client.put("mover 1/a", wait=50, uid="u1")
    assert (first["state"], first["lease"]) == ("granted", f"{sidecar.node}-slot-0")
    assert client.put("mover 1/a", uid="u1")["claim"] == first["claim"]
    assert client.put("second")["state"] == "queued"
    assert client.delete("mover 1/a") == {}
    second = client.put("second", wait=50)
    assert second["state"] == "granted"
    assert second["fencingToken"] > first["fencingToken"]
    assert client.delete("second") == {}
    assert cluster.holders() == {}
