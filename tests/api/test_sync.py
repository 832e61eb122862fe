"""The call that agents use."""

from __future__ import annotations

import gc
from typing import TYPE_CHECKING, Any

import orjson
import pytest

from coordinator.core.model import PodRef, Speaker
from coordinator.core.refusals import ClaimMismatch, PodFinished
from coordinator.core.views import Granted, Lost, Queued, Released, Settling
from coordinator.service.errors import NotReady, StaleSync
from tests.api.conftest import SYNC

if TYPE_CHECKING:
    from tests.api.conftest import Caller
    from tests.api.fakes import FakePool


def body(*claims: object, **fields: object) -> dict[str, object]:
    agent = {"agent": "a", "boot": "b", "sequence": 7, "waitSeconds": 20}
    return {**agent, "claims": list(claims), **fields}


def claim(name: str, **fields: object) -> dict[str, object]:
    return {"claim": name, "load": "x", **fields}


async def test_each_claim_is_answered_in_its_place(api: Caller, pool: FakePool) -> None:
    pool.sync_answers = (
        Granted("c1", 0, "node1-slot-0", 1201, 60),
        Queued("c2", 1, (1234, 17), "full", ()),
        Settling("c3", "being written"),
        Lost("c4", "deleted"),
        ClaimMismatch("c5"),
        Released("c6"),
        PodFinished("c7", PodRef("velero", "load-7", "uid-7")),
    )
    names = ["c1", "c2", "c3", "c4", "c5", "c6", "c7"]
    answer = await api("POST", SYNC, body(*map(claim, names), releases=["c9"]))
    assert answer.status == 200
    told = answer.json
    assert (told["term"], told["sequence"], told["released"]) == (1234, 7, ["c9"])
    assert [element["claim"] for element in told["claims"]] == names
    states = ["granted", "queued", "settling", "lost", "refused", "refused", "refused"]
    assert [element["state"] for element in told["claims"]] == states
    problems = [element["problem"]["status"] for element in told["claims"][2:]]
    assert problems == [503, 409, 409, 410, 410]
    assert told["claims"][2]["problem"]["retryAfter"] == 1


async def test_agent_boot_sequence_and_claims_reach_the_pool(api: Caller, pool: FakePool) -> None:
    pool.sync_answers = (Queued("c1", 1, (1234, 17), "full", ()),)
    await api("POST", SYNC, body(claim("c1", ticket="9.4", fencingToken=3), releases=["c9"]))
    [(node, request)] = pool.synced
    assert (node, request.speaker, request.sequence) == ("node1", Speaker("a", "b"), 7)
    assert (request.asks[0].ticket, request.asks[0].token) == ((9, 4), 3)
    assert request.releases == ("c9",)


async def test_what_is_ending_reaches_the_pool_claim_by_claim(api: Caller, pool: FakePool) -> None:
    pool.sync_answers = tuple(Settling(name, "x") for name in ("c1", "c2", "c3"))
    told = (claim("c1", ending=True), claim("c2"), claim("c3", ending=False))
    answer = await api("POST", SYNC, body(*told))
    [(_, request)] = pool.synced
    assert [ask.ending for ask in request.asks] == [True, False, False]
    assert "Warning" not in answer.headers


async def test_an_agent_that_only_reports_for_duty_is_fine(api: Caller, pool: FakePool) -> None:
    answer = await api("POST", SYNC, {"agent": "a", "boot": "b", "sequence": 1})
    assert answer.json == {"term": 1234, "sequence": 1, "claims": [], "released": []}
    assert pool.synced[0][1].wait == 0.0


async def test_a_holder_waits_a_third_of_its_shortest_ttl_at_most(
    api: Caller, pool: FakePool
) -> None:
    pool.sync_answers = (Lost("c1", ""), Lost("c2", ""))
    held, waits = claim("c1", ttlSeconds=30, fencingToken=3), claim("c2", ttlSeconds=15)
    await api("POST", SYNC, body(held, waits))
    assert pool.synced[0][1].wait == 10.0


@pytest.mark.parametrize(
    ("fields", "status", "field"),
    [
        ({"ttlSeconds": 5}, 422, "claims[1].ttlSeconds"),
        ({"ttlSeconds": "60"}, 400, "claims[1].ttlSeconds"),
        ({"ticket": "soon"}, 400, "claims[1].ticket"),
        ({"load": 7}, 400, "claims[1].load"),
    ],
)
async def test_a_claim_that_cannot_be_read_costs_the_others_nothing(
    api: Caller, pool: FakePool, fields: dict[str, object], status: int, field: str
) -> None:
    pool.sync_answers = (Granted("c1", 0, "l", 1, 60), Granted("c3", 1, "m", 2, 60))
    answer = await api("POST", SYNC, body(claim("c1"), claim("c2", **fields), claim("c3")))
    assert [element["state"] for element in answer.json["claims"]] == [
        "granted",
        "refused",
        "granted",
    ]
    problem = answer.json["claims"][1]["problem"]
    assert (problem["status"], problem["errors"][0]["field"]) == (status, field)
    [(_, request)] = pool.synced
    assert [ask.claim for ask in request.asks] == ["c1", "c3"]
    assert request.wait == 0.0


@pytest.mark.parametrize(
    ("request_body", "field"),
    [
        (body(claim("-bad")), "claims[0].claim"),
        (body({"load": "x"}), "claims[0].claim"),
        (body("c1"), "claims[0]"),
        (body(claim("c1"), claim("c1")), "claims[1]"),
        (body(releases=["c1", "c1"]), "releases[1]"),
        (body(claim("c1"), releases=["c1"]), "releases[0]"),
        (body(releases=[3]), "releases[0]"),
        (body(sequence="7"), "sequence"),
        (body(claims={}), "claims"),
    ],
)
async def test_a_request_that_cannot_be_read_changes_nothing_and_says_where(
    api: Caller, pool: FakePool, request_body: dict[str, Any], field: str
) -> None:
    answer = await api("POST", SYNC, request_body)
    assert (answer.status, answer.problem) == (400, "malformed")
    assert answer.json["errors"][0]["field"] == field
    assert not pool.synced


@pytest.mark.parametrize("many", ["claims", "releases"])
async def test_a_thousand_are_taken_and_one_more_is_out_of_range(
    api: Caller, pool: FakePool, many: str
) -> None:
    ids = [f"c{number}" for number in range(1001)]
    values: list[object] = list(map(claim, ids)) if many == "claims" else list(ids)
    pool.sync_answers = tuple(Lost(name, "") for name in ids[:1000]) if many == "claims" else ()
    assert (await api("POST", SYNC, body(**{many: values[:1000]}))).status == 200
    answer = await api("POST", SYNC, body(**{many: values}))
    assert (answer.status, answer.problem) == (422, "out-of-range")
    assert answer.json["errors"][0]["field"] == many


async def test_the_longest_request_within_the_limits_fits(api: Caller, pool: FakePool) -> None:
    pod = {"namespace": "n" * 63, "name": "p" * 253, "uid": "u" * 128}
    numbers = [f"{number:0128}" for number in range(2000)]
    claims = [claim(n, load="漢" * 256, pod=pod) for n in numbers[:1000]]
    pool.sync_answers = tuple(Lost(n, "") for n in numbers[:1000])
    answer = await api("POST", SYNC, body(*claims, releases=numbers[1000:]))
    assert answer.status == 200


async def test_an_older_sync_is_told_so(api: Caller, pool: FakePool) -> None:
    pool.sync_error = StaleSync("agent a has already sent sync 8")
    answer = await api("POST", SYNC, body())
    assert (answer.status, answer.problem) == (409, "stale-sync")


async def test_a_coordinator_without_a_picture_says_when_to_ask_again(
    api: Caller, pool: FakePool
) -> None:
    pool.sync_error = NotReady("the list of Leases failed")
    answer = await api("POST", SYNC, body())
    assert (answer.status, answer.problem) == (503, "not-ready")


async def test_unknown_fields_are_named_wherever_they_stand(api: Caller, pool: FakePool) -> None:
    pool.sync_answers = (Lost("c1", ""),)
    pod = {"namespace": "velero", "name": "p", "zone": "z"}
    answer = await api("POST", SYNC, body(claim("c1", colour="red", pod=pod), mood="good"))
    assert answer.status == 200
    named = "mood, claims[0].colour, claims[0].pod.zone"
    assert answer.headers["Warning"] == f'299 - "unknown fields: {named}"'


async def test_a_sync_that_waits_keeps_nothing_of_its_body(api: Caller, pool: FakePool) -> None:
    """Thousands of agents wait with all their claims, and with whatever else they send."""
    kept: list[object] = []

    def look() -> None:
        gc.collect()
        kept.extend(one for one in gc.get_objects() if isinstance(one, dict) and "moodless" in one)

    pool.meanwhile = look
    pool.sync_answers = (Lost("c1", ""),)
    sent = orjson.dumps(body(claim("c1", moodless=1), moodless=1))
    answer = await api("POST", SYNC, data=sent, headers={"Content-Type": "application/json"})
    assert (answer.status, kept) == (200, [])
    assert "moodless" in answer.headers["Warning"]
