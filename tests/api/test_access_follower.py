"""Two replicas: the one that follows passes tokens on, the one that leads judges them."""

from __future__ import annotations

from typing import TYPE_CHECKING, cast

import pytest

from coordinator.api.app import api_app, listen
from coordinator.kube.election import Leader
from coordinator.service.metrics import Metrics
from tests.api.callers import AGENT, NEIGHBOUR, NOBODY, READER, SCRAPER, FakeCallers, bearer
from tests.api.conftest import CLAIM, Caller
from tests.api.fakes import FakeCoordinator, FakePool

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    import aiohttp

    from coordinator.service.callers import Callers
    from coordinator.service.coordinator import Coordinator


TROUBLE = "the first list of Leases is not complete"


@pytest.fixture
def follower() -> FakeCoordinator:
    """A replica that does not lead, and asks the API server about its own callers."""
    made = FakeCoordinator(FakePool(trouble="follows"), "replica-2")
    made.leading = False
    made.callers = cast("Callers", FakeCallers())
    return made


@pytest.fixture
async def by_follower(
    follower: FakeCoordinator, session: aiohttp.ClientSession
) -> AsyncIterator[Caller]:
    """Asks the follower."""
    app = api_app(cast("Coordinator", follower), Metrics())
    listener = await listen(app, "127.0.0.1", 0)
    yield Caller(session, listener.url)
    await listener.close()


async def test_the_leader_judges_and_the_follower_asks_nobody(
    follower: FakeCoordinator, by_follower: Caller, api: Caller, known: FakeCallers
) -> None:
    follower.leader = Leader("replica-1", api.url)
    cast("FakeCallers", follower.callers).known.clear()
    for token, status in ((AGENT, 200), (NEIGHBOUR, 403), ("unknown", 401)):
        answer = await by_follower("PUT", CLAIM, {"load": "x"}, headers=bearer(token))
        assert answer.status == status
    answer = await by_follower("PUT", CLAIM, {"load": "x"})
    assert (answer.problem, answer.headers["WWW-Authenticate"]) == ("unauthenticated", "Bearer")


async def test_who_is_answered_by_the_follower_itself_is_judged_by_it(
    by_follower: Caller,
) -> None:
    """Without a leader it tells its own status; its metrics and its document always."""
    statuses = {
        "/v1/status": {READER: 200, NOBODY: 403, "unknown": 401},
        "/metrics": {SCRAPER: 200, READER: 403, "unknown": 401},
        "/openapi.json": {NOBODY: 200, "unknown": 401},
    }
    for path, expected in statuses.items():
        for token, status in expected.items():
            assert (await by_follower("GET", path, headers=bearer(token))).status == status


async def test_of_the_status_one_sees_the_pools_that_one_may_list(
    follower: FakeCoordinator, by_follower: Caller
) -> None:
    follower.pools["demo"] = FakePool("demo", trouble="a secret of demo")
    answer = await by_follower("GET", "/v1/status", headers=bearer(READER))
    assert [pool["namespace"] for pool in answer.json["pools"]] == ["velero"]
    assert answer.json["checks"] == {"velero": "follows"}
    assert "demo" not in answer.text


async def test_a_replica_that_has_no_pools_left_says_so(
    follower: FakeCoordinator, by_follower: Caller
) -> None:
    follower.pools.clear()
    answer = await by_follower("GET", "/v1/status", headers=bearer(READER))
    assert (answer.status, answer.problem) == (503, "stopping")


async def test_the_status_is_of_one_moment_though_the_replica_is_elected_while_rights_are_asked(
    follower: FakeCoordinator, by_follower: Caller
) -> None:
    """A follower is ready: it passes on. A leader is not before it has its picture."""
    pool = follower.pools["velero"]
    pool.trouble = ""
    cast("FakeCallers", follower.callers).meanwhile = lambda: follower.elected(TROUBLE)
    body = (await by_follower("GET", "/v1/status", headers=bearer(READER))).json
    assert body["leading"]
    assert (body["ready"], body["checks"]) == (False, {"velero": TROUBLE})
    assert [told["reason"] for told in body["pools"]] == [TROUBLE]


async def test_the_status_of_a_replica_whose_pools_end_while_rights_are_asked_is_not_ready(
    follower: FakeCoordinator, by_follower: Caller
) -> None:
    follower.pools["velero"].trouble = ""
    cast("FakeCallers", follower.callers).meanwhile = follower.pools.clear
    body = (await by_follower("GET", "/v1/status", headers=bearer(READER))).json
    assert (body["ready"], body["checks"], body["pools"]) == (False, {}, [])
