"""On the real API server: kill -9 of client, sidecar and coordinator, as loads hold and wait.

Nothing leaks, nothing is given twice, and what has a name is found again.
"""

from __future__ import annotations

import asyncio
import signal
import sys
from contextlib import suppress
from typing import TYPE_CHECKING, Any

import pytest

from tests.e2e.holds import Hold, judge
from tests.e2e.sidecars import SHORT, Gone, Sidecar, serve
from tests.e2e.test_real_evidence import reclaims
from tests.e2e.waiting import DEADLINE, until
from tests.examples.workers import EXAMPLES

if TYPE_CHECKING:
    from collections.abc import Callable

    from tests.e2e.cluster import Cluster
    from tests.e2e.processes import Program, Site

pytestmark = pytest.mark.real

PUT_AND_STAY = """
import signal, sys
sys.path.insert(0, sys.argv[1])
import slots
slots.Sidecar(sys.argv[2]).put(sys.argv[3], wait=50)
signal.pause()
"""


def _kill(program: Program) -> None:
    program.send(signal.SIGKILL)
    assert program.exit_code() == 128 + signal.SIGKILL


def _holder_and_waiters(
    site: Site, sidecar: Sidecar, language: str, *waiting: str
) -> dict[str, Program]:
    """Workers whose order of arrival is certain; the first one's load runs."""
    running = {"holder": sidecar.work(language, "holder")}
    site.journal.wait_started("holder")
    for place, load in enumerate(waiting, start=1):
        running[load] = sidecar.work(language, load)
        site.wait_queue(sidecar.node, *waiting[:place])
    return running


@pytest.mark.parametrize("language", ["python", "sh"])
def test_a_killed_client_leaves_the_queue_or_gives_its_slot_back_and_no_ttl_is_waited_for(
    site: Site, cluster: Cluster, language: str
) -> None:
    sidecar = serve(site, 1)
    clients = _holder_and_waiters(site, sidecar, language, "waiter", "last")

    _kill(clients["waiter"])
    site.wait_queue(sidecar.node, "last")
    _kill(clients["holder"])
    site.journal.wait_started("last")
    site.journal.end_all()

    assert clients["last"].exit_code() == 0, clients["last"].output
    assert site.journal.started == ["holder", "last"]
    assert site.journal.most_at_once(sidecar.node) == 1
    until(lambda: cluster.holders() == {}, "all slots are free")
    assert reclaims(cluster) == {}, "all were given back"


def test_a_killed_sidecar_ends_its_loads_and_their_slots_are_free_at_the_ttl(
    site: Site, cluster: Cluster
) -> None:
    sidecar = serve(site, 1, SHORT)
    clients = _holder_and_waiters(site, sidecar, "python", "waiter")

    sidecar.kill()
    assert clients["holder"].exit_code() == 1
    assert site.journal.terminated == {"holder"}
    sidecar.start()
    site.journal.end_all()

    assert clients["waiter"].exit_code() == 0, clients["waiter"].output
    until(lambda: "Lease" in reclaims(cluster), "the holder's was taken: nobody gave it back")
    assert site.journal.started == ["holder", "waiter"]
    until(lambda: cluster.holders() == {}, "all slots are free")


async def test_with_sidecar_and_coordinator_killed_at_once_no_slot_is_given_twice(
    site: Site, cluster: Cluster
) -> None:
    """Each load asks again until it has run to its end."""
    sidecar = await asyncio.to_thread(serve, site, 3, SHORT)
    holds: list[Hold] = []
    ran: asyncio.Queue[int] = asyncio.Queue()

    async def run(number: int) -> None:
        while True:
            with suppress(Gone):
                async with sidecar.ask(f"load-{number}") as stream:
                    await stream.work(holds, 0.05)
                    return ran.put_nowait(number)
            await asyncio.sleep(0.2)  # between two attempts, as a client would

    async with asyncio.timeout(2 * DEADLINE), asyncio.TaskGroup() as group:
        for number in range(40):
            group.create_task(run(number))
        for _ in range(10):
            await ran.get()
        await asyncio.to_thread(sidecar.kill)
        await asyncio.to_thread(site.stop, signal.SIGKILL)
        await asyncio.to_thread(sidecar.start)
        await asyncio.to_thread(site.start)

    assert judge(holds, 3) == []
    assert {hold.lease for hold in holds} == {f"{sidecar.node}-slot-{n}" for n in range(3)}
    await asyncio.to_thread(until, lambda: cluster.holders() == {}, "all slots are free")


async def test_a_killed_coordinator_costs_no_slot_and_no_place(
    site: Site, cluster: Cluster
) -> None:
    sidecar = await asyncio.to_thread(serve, site, 2)

    async def placed(what: Callable[..., Any], *arguments: Any) -> Any:
        return await asyncio.to_thread(what, *arguments)

    async with asyncio.timeout(2 * DEADLINE), sidecar.ask("one") as one:
        hold = await one.granted()
        named = await placed(sidecar.put, "two")
        async with sidecar.ask("three") as three:
            await placed(site.wait_queue, sidecar.node, "three")
            assert (await placed(sidecar.put, "four", 0))["state"] == "queued"
            await placed(site.wait_queue, sidecar.node, "three", "four")
            before = cluster.leases()

            assert await placed(site.stop, signal.SIGKILL) == 128 + signal.SIGKILL
            await placed(site.start)
            await placed(site.wait_queue, sidecar.node, "three", "four")

            assert cluster.leases().keys() == before.keys()
            assert sorted(cluster.holders().values()) == ["one", "two"]
            again = await placed(sidecar.put, "two")
            assert again["fencingToken"] == named["fencingToken"]
            assert sidecar.slots()["one"]["fencingToken"] == hold.token
            await placed(sidecar.delete, "two")
            assert (await three.granted()).lease == named["lease"]
        four = await placed(sidecar.put, "four")
        assert (four["state"], four["lease"]) == ("granted", named["lease"])
        await placed(sidecar.delete, "four")
        assert list(cluster.holders().values()) == ["one"]
    await placed(until, lambda: cluster.holders() == {}, "all slots are free")


def test_a_named_slot_and_place_are_found_again_after_client_and_sidecar_were_killed(
    site: Site, cluster: Cluster
) -> None:
    sidecar = serve(site, 1)
    script = [sys.executable, "-c", PUT_AND_STAY, str(EXAMPLES / "python"), str(sidecar.socket)]
    client = site.run("client", sidecar.node, [*script, "mover"])
    until(lambda: "mover" in sidecar.slots(), "the client asks")
    before = sidecar.put("mover")
    assert sidecar.put("next", wait=0)["state"] == "queued"
    site.wait_queue(sidecar.node, "next")

    _kill(client)
    sidecar.kill()
    sidecar.start()

    after = sidecar.put("mover")
    kept = ("claim", "slot", "lease", "fencingToken")
    assert [after[key] for key in kept] == [before[key] for key in kept]
    assert sidecar.slots()["mover"]["adopted"]
    assert sidecar.put("next", wait=0)["state"] == "queued"
    assert sidecar.put("newcomer", wait=0)["state"] == "queued"
    site.wait_queue(sidecar.node, "next", "newcomer")
    for load in ("mover", "next", "newcomer"):
        assert sidecar.put(load)["state"] == "granted"
        assert list(cluster.holders().values()) == [load]
        sidecar.delete(load)
    assert cluster.holders() == {}
    assert reclaims(cluster) == {}, "none was taken"


def test_a_named_slot_that_nobody_asks_for_after_the_kill_is_free_at_the_ttl(
    site: Site, cluster: Cluster
) -> None:
    sidecar = serve(site, 1, SHORT)
    assert sidecar.put("mover")["state"] == "granted"
    sidecar.kill()
    sidecar.start("--adopt-seconds", "1")
    assert sidecar.put("next")["state"] == "granted"
    assert list(cluster.holders().values()) == ["next"]
    sidecar.delete("next")
    assert cluster.holders() == {}
