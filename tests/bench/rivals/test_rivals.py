"""Each rival is what it is compared as: a place that one has at a time, and that comes free."""

from __future__ import annotations

import asyncio
import math
import uuid
from contextlib import ExitStack, asynccontextmanager
from functools import partial
from typing import TYPE_CHECKING, Any

import pytest

from tests.bench.bulk import Bulk
from tests.bench.loads.handover import RIVALS
from tests.bench.rivals import (
    bare_put,
    etcd_lock,
    node_slots,
    redis_lock,
    redis_server,
    retrying,
    sherlock_lock,
    velero,
)
from tests.bench.rivals.passing import Lock, NotExclusive
from tests.bench.scenarios import s03_handover
from tests.bench.served import Served
from tests.realserver import report
from tests.tools.debian import NoPackageError

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Iterator
    from pathlib import Path

    from tests.bench.rivals.passing import Config, Contender, Contest
    from tests.realserver.server import RealApiServer

SHORT = 0.01
"""Seconds between two looks, where the real ones take seconds."""
CONTENDERS = 4
TURNS = 3


class OpenDoor:
    """Lets everybody in."""

    async def acquire(self) -> None:
        """At once."""

    async def release(self) -> None:
        """Nothing was taken."""


@asynccontextmanager
async def open_doors(_: Config, places: int, each: int) -> AsyncIterator[list[list[Contender]]]:
    """No lock at all."""
    yield [[OpenDoor() for _ in range(each)] for _ in range(places)]


class Room:
    """Counts who is inside."""

    def __init__(self) -> None:
        self._inside = 0
        self.visits = 0

    async def visited_by(self, contender: Contender) -> None:
        for _ in range(TURNS):
            await contender.acquire()
            await self._visit()
            await contender.release()

    async def _visit(self) -> None:
        assert self._inside == 0, "two are inside"
        self._inside += 1
        for _ in range(10):  # whoever else could come in gets turns to do so
            await asyncio.sleep(0)
        self._inside -= 1
        self.visits += 1


async def visits(contest: Contest, config: Config) -> int:
    """How often one of four who want the same place had it; fails where two had it at once."""
    room = Room()
    async with contest(config, 1, CONTENDERS) as places, asyncio.TaskGroup() as group:
        for contender in places[0]:
            group.create_task(room.visited_by(contender))
    return room.visits


async def check(contest: Contest, config: Config) -> None:
    """One at a time, each in its turn, and measuring leaves nobody inside."""
    assert await visits(contest, config) == CONTENDERS * TURNS
    lock = Lock(contest, settles=0.2)
    for _ in range(2):
        seconds = await lock.latencies(config | {"at_once": 2, "count": 1})
        assert len(seconds) == 2
        assert min(seconds) > 0


@pytest.fixture(scope="module")
def access(real_server: RealApiServer) -> dict[str, Any]:
    """How the servers are reached, as `Rig.load` tells it, with a namespace of its own."""
    namespace = f"rivals-{uuid.uuid4().hex[:12]}"
    api = Bulk(real_server.url, real_server.token, real_server.ca_file)
    made = [("api/v1/namespaces", {"metadata": {"name": namespace}})]
    asyncio.run(api.send("POST", made))
    return {
        "server": real_server.url,
        "token": real_server.token,
        "ca": str(real_server.ca_file),
        "etcd": real_server.etcd_url,
        "namespace": namespace,
    }


@pytest.fixture(scope="module")
def redis(tmp_path_factory: pytest.TempPathFactory) -> Iterator[dict[str, int]]:
    """Where a redis-server listens."""
    with ExitStack() as stack:
        running = redis_server.running(tmp_path_factory.mktemp("redis"))
        try:
            port = stack.enter_context(running)
        except NoPackageError as error:
            why = report.without(redis_server.TITLE, str(error))
            pytest.fail(why) if report.is_required() else pytest.skip(why)
        yield {"redis": port}


async def test_what_lets_two_in_is_no_lock() -> None:
    with pytest.raises(NotExclusive):
        await Lock(open_doors).latencies({"at_once": 1, "count": 1})
    with pytest.raises(ExceptionGroup, match="unhandled errors") as raised:
        await visits(open_doors, {})
    assert raised.group_contains(AssertionError, match="two are inside")


async def test_velero_s_limiter_lets_as_many_in_as_its_limit() -> None:
    await check(partial(velero.contest, requeue_after=SHORT), {})


@pytest.mark.real
async def test_a_lease_that_is_tried_again_and_again_has_one_holder(access: Config) -> None:
    await check(partial(retrying.contest, period=SHORT), access)


@pytest.mark.real
async def test_sherlock_s_lock_has_one_holder(access: Config) -> None:
    await check(sherlock_lock.contest, access)


@pytest.mark.real
async def test_etcd_s_lock_has_one_holder(access: Config) -> None:
    await check(etcd_lock.contest, access)


async def test_a_token_in_redis_has_one_holder(redis: Config) -> None:
    await check(redis_lock.tokens, redis)


async def test_redis_py_s_lock_has_one_holder(redis: Config) -> None:
    await check(redis_lock.locks, redis)


@pytest.mark.real
async def test_a_slot_has_one_holder(
    access: Config, real_server: RealApiServer, tmp_path: Path
) -> None:
    nodes = [f"rival-{uuid.uuid4().hex[:12]}" for _ in range(2)]
    api = Bulk(real_server.url, real_server.token, real_server.ca_file)
    await api.send("POST", (("api/v1/nodes", {"metadata": {"name": name}}) for name in nodes))
    flags = ["--namespace", access["namespace"], "--kubeconfig", str(real_server.kubeconfig)]
    served = Served(flags, tmp_path / "coordinator.log")
    try:
        await asyncio.to_thread(served.wait_ready)
        config = access | {"coordinator": served.url, "nodes": nodes}
        await check(node_slots.contest, config)
    finally:
        served.end(10.0)


@pytest.mark.real
async def test_a_bare_put_is_one_after_the_other_on_each_lease(access: Config) -> None:
    seconds = await bare_put.back_to_back(access | {"at_once": 2, "count": 3})
    assert len(seconds) == 6


def test_the_scenario_asks_for_rivals_that_there_are() -> None:
    assert set(s03_handover.RIVALS) < set(RIVALS)


def test_ci_judges_by_what_it_measures() -> None:
    subjects = (s03_handover.OURS, s03_handover.PUT, s03_handover.IN_SMOKE)
    shown = {subject: {"p50 ms": 1.0} for subject in subjects}
    goals = s03_handover.SCENARIO.goals
    assert [goal.smoke is None for goal in goals] == [
        math.isnan(goal.value(shown)) for goal in goals
    ]
