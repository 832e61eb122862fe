"""PUT, GET and DELETE of one claim."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

import pytest

from coordinator.core.model import PodRef, Terms
from coordinator.core.refusals import ClaimMismatch, ClaimReleased, QueueFull
from coordinator.core.views import Lost, Released, Settling
from coordinator.service.errors import NodeNotSeen, NodeUnknown, NotReady, Stopping
from tests.api.conftest import CLAIM
from tests.api.fakes import GRANTED, QUEUED

if TYPE_CHECKING:
    from tests.api.conftest import Caller
    from tests.api.fakes import FakePool

GRANTED_BODY = {
    "claim": "c1",
    "state": "granted",
    "term": 1234,
    "slot": 0,
    "lease": "node1-slot-0",
    "fencingToken": 1201,
    "ttlSeconds": 60,
}
QUEUED_BODY = {
    "claim": "c1",
    "state": "queued",
    "term": 1234,
    "position": 2,
    "ticket": "1234.17",
    "reason": "1 of 1 slots of node1 are held",
    "holders": [
        {
            "claim": "c0",
            "load": "backup-1/pvc-0",
            "lease": "node1-slot-0",
            "priority": 5,
            "pod": None,
            "heldSeconds": 741,
        }
    ],
}


async def test_a_grant_is_200_with_slot_and_token(api: Caller, pool: FakePool) -> None:
    pool.answer = GRANTED
    answer = await api("PUT", CLAIM, {"load": "x"})
    assert (answer.status, answer.json) == (200, GRANTED_BODY)


async def test_a_place_in_the_queue_is_202_with_position_ticket_and_holders(
    api: Caller, pool: FakePool
) -> None:
    pool.answer = QUEUED
    answer = await api("PUT", CLAIM, {"load": "x"})
    assert (answer.status, answer.json) == (202, QUEUED_BODY)


async def test_everything_in_the_body_reaches_the_pool(api: Caller, pool: FakePool) -> None:
    pool.answer = QUEUED
    pod = {"namespace": "velero", "name": "p", "uid": "u"}
    body = {"load": "x", "priority": -3, "ttlSeconds": 90, "waitSeconds": 40, "pod": pod}
    await api("PUT", CLAIM, {**body, "ticket": "1234.17"})
    [(node, ask, wait)] = pool.asked
    assert (node, ask.claim, wait) == ("node1", "c1", 40.0)
    assert ask.terms == Terms("x", -3, 90, PodRef("velero", "p", "u"))
    assert (ask.ticket, ask.token) == ((1234, 17), None)


async def test_what_is_left_out_has_its_default(api: Caller, pool: FakePool) -> None:
    pool.answer = QUEUED
    await api("PUT", CLAIM, {"load": "x", "pod": None, "ticket": None, "fencingToken": None})
    [(_, ask, wait)] = pool.asked
    assert (ask.terms, ask.ticket, ask.token, wait) == (Terms("x"), None, None, 0.0)


@pytest.mark.parametrize("body", [{"fencingToken": 1201}, {}])
async def test_a_holder_waits_a_third_of_its_ttl_at_most(
    api: Caller, pool: FakePool, body: dict[str, int]
) -> None:
    pool.answer = GRANTED
    await api("PUT", CLAIM, {"load": "x", "ttlSeconds": 60, "waitSeconds": 55, **body})
    assert pool.asked[0][2] == 20.0


@pytest.mark.parametrize(
    ("said", "status", "name"),
    [
        (Settling("c1", "being written"), 503, "settling"),
        (Lost("c1", "its Lease was deleted"), 409, "slot-lost"),
        (Released("c1"), 410, "released"),
        (ClaimReleased("c1"), 410, "released"),
        (ClaimMismatch("c1"), 409, "claim-mismatch"),
        (QueueFull("c1"), 429, "queue-full"),
        (NotReady("no list yet"), 503, "not-ready"),
        (Stopping("shutting down", 2.5), 503, "stopping"),
        (NodeNotSeen("not seen"), 503, "node-not-seen"),
        (NodeUnknown("unknown"), 404, "unknown-node"),
    ],
)
async def test_every_other_outcome_is_a_problem_of_its_own(
    api: Caller, pool: FakePool, said: Lost, status: int, name: str
) -> None:
    pool.answer = said
    answer = await api("PUT", CLAIM, {"load": "x"})
    assert (answer.status, answer.problem) == (status, name)
    assert answer.json["instance"] == CLAIM


async def test_retry_after_is_whole_seconds_rounded_up(api: Caller, pool: FakePool) -> None:
    pool.answer = Stopping("shutting down", 2.5)
    answer = await api("PUT", CLAIM, {"load": "x"})
    assert (answer.headers["Retry-After"], answer.json["retryAfter"]) == ("3", 3)


async def test_a_look_is_200_for_a_waiting_claim_too(api: Caller, pool: FakePool) -> None:
    pool.answer = QUEUED
    answer = await api("GET", CLAIM)
    body = answer.json
    assert body.pop("why")["node"] == "node1"
    assert (answer.status, body) == (200, QUEUED_BODY)
    assert not pool.asked


async def test_a_look_at_a_claim_that_nobody_knows_is_404(api: Caller, pool: FakePool) -> None:
    assert (await api("GET", CLAIM)).problem == "unknown-claim"


async def test_a_release_is_204_without_a_body(api: Caller, pool: FakePool) -> None:
    pool.answer = Released("c1")
    answer = await api("DELETE", CLAIM)
    assert (answer.status, answer.text, pool.left) == (204, "", [("node1", "c1", "")])


async def test_a_release_that_is_not_certain_is_503(api: Caller, pool: FakePool) -> None:
    pool.answer = Settling("c1", "its slot is being given back")
    answer = await api("DELETE", CLAIM)
    assert (answer.status, answer.problem) == (503, "settling")


async def test_a_namespace_without_a_pool_is_404(api: Caller) -> None:
    answer = await api("PUT", CLAIM.replace("velero", "demo"), {"load": "x"})
    assert (answer.status, answer.problem) == (404, "unknown-pool")


async def test_a_caller_that_goes_away_waits_no_longer(api: Caller, pool: FakePool) -> None:
    pool.forever = True
    call = asyncio.create_task(api("PUT", CLAIM, {"load": "x", "waitSeconds": 55}))
    async with asyncio.timeout(30):
        await pool.waiting.wait()
        call.cancel()
        await pool.cancelled.wait()
