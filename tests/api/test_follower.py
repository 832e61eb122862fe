"""A follower passes every request on to the leader, and says so when it cannot."""

from __future__ import annotations

import asyncio
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, cast

import aiohttp
import pytest
from aiohttp import web

from coordinator.api import proxy
from coordinator.api.app import api_app, listen
from coordinator.api.claims import LARGEST_CLAIM
from coordinator.api.connections import guarded
from coordinator.api.proxy import PASSED_ON, PROXY
from coordinator.kube.election import Leader
from coordinator.service.errors import NodeUnknown, NotLeading
from coordinator.service.metrics import Metrics
from tests.api.conftest import CLAIM, NODE, SYNC, Caller
from tests.api.fakes import GRANTED, QUEUED, FakeCoordinator, FakePool

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from coordinator.service.coordinator import Coordinator

ASK = {"load": "x"}
ALL = {"agent": "a", "boot": "b", "sequence": 1, "claims": [{"claim": "c1", "load": "x"}]}


@pytest.fixture
def follower() -> FakeCoordinator:
    """A replica that does not lead."""
    made = FakeCoordinator(FakePool(trouble="follows"), "replica-2")
    made.leading = False
    return made


@pytest.fixture
async def passed(
    follower: FakeCoordinator, api: Caller, session: aiohttp.ClientSession
) -> AsyncIterator[Caller]:
    """Asks the follower; `api` is its leader."""
    follower.leader = Leader("replica-1", api.url)
    async with serving(follower) as url:
        yield Caller(session, url)


@asynccontextmanager
async def serving(coordinator: FakeCoordinator) -> AsyncIterator[str]:
    listener = await listen(api_app(cast("Coordinator", coordinator), Metrics()), "127.0.0.1", 0)
    try:
        yield listener.url
    finally:
        await listener.close()


@dataclass
class Leading:
    """A leader made of one handler: what it was asked, and what it does then."""

    url: str = ""
    seen: list[web.Request] = field(default_factory=list)
    cut_after: bytes | None = None

    async def handle(self, request: web.Request) -> web.StreamResponse:
        self.seen.append(request)
        await request.read()
        assert request.transport is not None
        if self.cut_after is None:
            return web.Response(headers={"Keep-Alive": "timeout=5", "X-Kept": "yes"})
        request.transport.write(self.cut_after)
        request.transport.close()
        return web.Response()


@pytest.fixture
async def leading(follower: FakeCoordinator) -> AsyncIterator[Leading]:
    made, app = Leading(), web.Application(middlewares=[guarded])
    app.router.add_route("*", "/{all:.*}", made.handle)
    listener = await listen(app, "127.0.0.1", 0)
    made.url = listener.url
    follower.leader = Leader("replica-1", made.url)
    yield made
    await listener.close()


@pytest.fixture
async def by_follower(
    follower: FakeCoordinator, session: aiohttp.ClientSession
) -> AsyncIterator[Caller]:
    """Asks the follower; who leads is up to the test."""
    async with serving(follower) as url:
        yield Caller(session, url)


# --- with a leader --------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("method", "path", "body"),
    [
        ("PUT", CLAIM, ASK),
        ("GET", CLAIM, None),
        ("DELETE", CLAIM, None),
        ("POST", SYNC, ALL),
        ("GET", NODE, None),
        ("GET", "/v1/namespaces/velero/nodes?limit=1", None),
        ("GET", "/v1/namespaces/velero", None),
        ("GET", "/v1/status", None),
        ("PUT", CLAIM, {"load": 7}),
        ("PUT", CLAIM, {"load": "x", "colour": "red"}),
        ("PATCH", CLAIM, {}),
        ("GET", "/v1/nothing", None),
        ("GET", CLAIM.replace("c1", "a%2Fb"), None),
    ],
)
async def test_a_follower_answers_as_its_leader(
    api: Caller, passed: Caller, pool: FakePool, method: str, path: str, body: object
) -> None:
    pool.answer, pool.sync_answers = QUEUED, (GRANTED,)
    direct, through = await api(method, path, body), await passed(method, path, body)
    assert (through.status, through.text) == (direct.status, direct.text)
    for name in ("Content-Type", "Warning", "Allow", "Retry-After"):
        assert through.headers.get(name) == direct.headers.get(name)


async def test_what_the_leader_refuses_is_refused(passed: Caller, pool: FakePool) -> None:
    pool.answer = NodeUnknown("no node1")
    assert (await passed("GET", CLAIM)).problem == "unknown-node"


async def test_the_callers_own_headers_go_along_and_a_mark(
    leading: Leading, by_follower: Caller
) -> None:
    headers = {
        "Authorization": "Bearer of-the-caller",
        "Connection": "keep-alive, X-Of-This-Hop",
        "X-Of-This-Hop": "1",
        "Host": "slots.example:8443",
    }
    answer = await by_follower("GET", CLAIM, headers=headers)
    got = leading.seen[0].headers
    assert got["Authorization"] == "Bearer of-the-caller"
    assert got[PASSED_ON] == "replica-2"
    assert "X-Of-This-Hop" not in got
    assert got["Host"] in leading.url
    assert (answer.headers["X-Kept"], answer.headers.get("Keep-Alive")) == ("yes", None)


async def test_nothing_is_added_in_the_name_of_a_caller_that_said_nothing(
    leading: Leading, by_follower: Caller
) -> None:
    await by_follower("GET", CLAIM, skip_auto_headers=["User-Agent", "Accept", "Accept-Encoding"])
    assert set(leading.seen[0].headers) == {"Host", PASSED_ON}


async def test_a_body_without_a_length_is_passed_on_and_limited_by_the_leader(
    passed: Caller, pool: FakePool
) -> None:
    pool.answer = GRANTED

    async def pieces(size: int) -> AsyncIterator[bytes]:
        yield b'{"load": "x"}'
        for _ in range(4):
            yield b" " * (size // 4)

    headers = {"Content-Type": "application/json"}
    taken = await passed("PUT", CLAIM, data=pieces(1000), headers=headers)
    refused = await passed("PUT", CLAIM, data=pieces(LARGEST_CLAIM), headers=headers)
    assert (taken.status, refused.problem) == (200, "too-large")


async def test_a_caller_that_goes_away_no_longer_waits_at_the_leader(
    passed: Caller, pool: FakePool
) -> None:
    pool.forever = True
    asking = asyncio.create_task(passed("PUT", CLAIM, ASK))
    async with asyncio.timeout(30):
        await pool.waiting.wait()
        asking.cancel()
        await pool.cancelled.wait()


async def test_who_waits_at_a_leader_that_leads_no_more_is_told(
    passed: Caller, pool: FakePool, follower: FakeCoordinator
) -> None:
    """A frozen leader would never answer: another one may have taken over long ago."""
    pool.forever = True
    asking = asyncio.create_task(passed("PUT", CLAIM, ASK))
    async with asyncio.timeout(30):
        await pool.waiting.wait()
        follower.leader = None
        answer = await asking
        await pool.cancelled.wait()
    assert (answer.problem, answer.headers["Retry-After"]) == ("no-leader", "1")


async def test_so_is_the_next_one_however_often_it_is_looked_who_leads(
    passed: Caller, pool: FakePool, follower: FakeCoordinator, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Also while the first one is being given up already."""
    monkeypatch.setattr(proxy, "LOOK", 0.0)
    pool.forever, leader = True, follower.leader
    for _ in range(2):
        follower.leader = leader
        pool.waiting.clear()
        pool.cancelled.clear()
        asking = asyncio.create_task(passed("PUT", CLAIM, ASK))
        async with asyncio.timeout(30):
            await pool.waiting.wait()
            follower.leader = None
            assert (await asking).problem == "no-leader"
            await pool.cancelled.wait()


# --- without one ----------------------------------------------------------------------------------


async def test_without_a_leader_the_answer_is_503_and_when_to_ask_again(
    by_follower: Caller,
) -> None:
    answer = await by_follower("PUT", CLAIM, ASK)
    assert (answer.status, answer.problem) == (503, "no-leader")
    assert answer.headers["Retry-After"] == "1"


async def test_what_was_passed_on_once_is_never_passed_on_again(
    leading: Leading, by_follower: Caller
) -> None:
    answer = await by_follower("GET", CLAIM, headers={PASSED_ON: "replica-3"})
    assert answer.problem == "no-leader"
    assert not leading.seen


async def test_two_replicas_that_each_think_the_other_leads_send_nothing_in_circles(
    by_follower: Caller, follower: FakeCoordinator
) -> None:
    follower.leader = Leader("replica-1", by_follower.url)
    assert (await by_follower("GET", CLAIM)).problem == "no-leader"


@pytest.mark.parametrize("begin", [b"", b"HTTP/1.1 200 OK\r\nContent-Le"])
async def test_a_leader_that_breaks_off_before_its_answer_is_503(
    leading: Leading, by_follower: Caller, begin: bytes
) -> None:
    leading.cut_after = begin
    assert (await by_follower("POST", SYNC, ALL)).problem == "no-leader"


@pytest.mark.parametrize(
    "begin",
    [
        b"HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nhalf",
        b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n4\r\nhalf\r\n",
    ],
)
async def test_a_leader_that_breaks_off_in_its_answer_leaves_no_whole_answer(
    leading: Leading, by_follower: Caller, begin: bytes
) -> None:
    leading.cut_after = begin
    with pytest.raises((aiohttp.ClientPayloadError, aiohttp.ClientOSError)):
        await by_follower("POST", SYNC, ALL)


async def test_a_leader_that_is_not_there_is_503(
    by_follower: Caller, follower: FakeCoordinator, unused_port: int
) -> None:
    follower.leader = Leader("replica-1", f"http://127.0.0.1:{unused_port}")
    answer = await by_follower("PUT", CLAIM, ASK)
    assert answer.problem == "no-leader"
    assert follower.leader.url in answer.json["detail"]


async def test_a_leader_that_lost_its_lead_while_it_was_asked_says_503(
    passed: Caller, pool: FakePool
) -> None:
    pool.answer = NotLeading("this replica does not lead any more")
    answer = await passed("PUT", CLAIM, ASK)
    assert (answer.problem, answer.headers["Retry-After"]) == ("no-leader", "1")


# --- looking --------------------------------------------------------------------------------------


async def test_the_status_tells_who_leads_and_who_answered(
    passed: Caller, coordinator: FakeCoordinator
) -> None:
    coordinator.leader = Leader("replica-1", "http://leader")
    body = (await passed("GET", "/v1/status")).json
    assert (body["answeredBy"], body["leading"]) == ("replica-1", True)
    assert body["leader"] == {"identity": "replica-1", "url": "http://leader"}


@pytest.mark.parametrize("known", [False, True], ids=["unknown", "unreachable"])
async def test_without_a_leader_a_follower_tells_its_own_status(
    by_follower: Caller, follower: FakeCoordinator, unused_port: int, known: bool
) -> None:
    url = f"http://127.0.0.1:{unused_port}"
    follower.leader = Leader("replica-1", url) if known else None
    body: dict[str, Any] = (await by_follower("GET", "/v1/status")).json
    assert (body["answeredBy"], body["leading"]) == ("replica-2", False)
    assert body["leader"] == ({"identity": "replica-1", "url": url} if known else None)


async def test_the_document_is_every_replicas_own(leading: Leading, by_follower: Caller) -> None:
    assert (await by_follower("GET", "/openapi.json")).status == 200
    assert not leading.seen


async def test_who_is_let_in_after_the_end_is_told_that_this_replica_stops(
    follower: FakeCoordinator, leading: Leading, session: aiohttp.ClientSession
) -> None:
    app = api_app(cast("Coordinator", follower), Metrics())
    listener = await listen(app, "127.0.0.1", 0)
    await app[PROXY]._session.close()
    answer = await Caller(session, listener.url)("PUT", CLAIM, ASK)
    await listener.close()
    assert (answer.status, answer.problem) == (503, "stopping")
    assert not leading.seen
