"""The lists of nodes and of claims: filtered, in order, a page at a time."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from coordinator.service import turns
from tests.api.living import POOL, limits, until

if TYPE_CHECKING:
    from tests.api.living import Living


async def nodes(alive: Living, query: str) -> list[str]:
    return [one["node"] for one in (await alive.get(f"/nodes?{query}"))["nodes"]]


async def claims(alive: Living, query: str = "") -> list[str]:
    return [one["claim"] for one in (await alive.get(f"/claims?{query}"))["claims"]]


async def mixed(alive: Living) -> None:
    """node1 is full and one waits; of node2's three holders two are past its limit; node3 is on
    hold and empty.
    """
    alive.configure(limits(1, ({"kubernetes.io/hostname": "node2"}, 3)))
    await until(lambda: alive.pool.count("node2").limit == 3)
    await alive.grant("node1", "a", pod="p1")
    await alive.queue("node1", "b")
    for claim in "cde":
        await alive.grant("node2", claim)
    alive.configure(limits(1))
    alive.annotate("node3", hold="new disks")
    await until(lambda: alive.pool.count("node2").limit == 1 and alive.pool.count("node3").hold)


@pytest.mark.parametrize(
    ("query", "found"),
    [
        ("", ["node1", "node2", "node3"]),
        ("node=node2", ["node2"]),
        ("node=node3&node=node1&node=nowhere", ["node1", "node3"]),
        ("state=queued", ["node1"]),
        ("state=full", ["node1", "node2"]),
        ("state=free", ["node3"]),
        ("state=held", ["node1", "node2"]),
        ("state=over-limit", ["node2"]),
        ("state=on-hold", ["node3"]),
        ("state=unresponsive", []),
        ("state=queued&state=on-hold", ["node1", "node3"]),
        ("state=held&node=node1", ["node1"]),
    ],
)
async def test_nodes_are_filtered(alive: Living, query: str, found: list[str]) -> None:
    await mixed(alive)
    assert await nodes(alive, query) == found


async def test_a_nodes_numbers_tell_its_rule_and_who_is_past_the_limit(alive: Living) -> None:
    await mixed(alive)
    [node] = (await alive.get("/nodes?node=node2"))["nodes"]
    assert node == {
        "node": "node2",
        "limit": 1,
        "held": 3,
        "queued": 0,
        "hold": "",
        "decidedBy": "globalConfig",
        "unresponsive": 0,
        "draining": 2,
        "longestWaitSeconds": 0.0,
    }
    [node] = (await alive.get("/nodes?node=node1"))["nodes"]
    assert 0 <= node["longestWaitSeconds"] < 30


async def test_pages_of_filtered_nodes_are_full_while_there_are_enough(alive: Living) -> None:
    await mixed(alive)
    first = await alive.get("/nodes?state=held&limit=1")
    assert [one["node"] for one in first["nodes"]] == ["node1"]
    second = await alive.get(f"/nodes?state=held&limit=1&continue={first['continue']}")
    assert [one["node"] for one in second["nodes"]] == ["node2"]
    assert "continue" not in second


@pytest.mark.parametrize(
    ("query", "found"),
    [
        ("", ["a", "b", "c", "d", "e"]),
        ("node=node2", ["c", "d", "e"]),
        ("state=queued", ["b"]),
        ("state=held", ["a", "c"]),
        ("state=draining", ["d", "e"]),
        ("state=draining&state=queued", ["b", "d", "e"]),
        ("state=unresponsive&state=releasing", []),
        ("pod=p1", ["a"]),
        ("pod=velero/p1", ["a"]),
        ("pod=other/p1", []),
        ("load=load-d", ["d"]),
        ("claim=b", ["b"]),
        ("claim=b&state=held", []),
        ("claim=", ["a", "b", "c", "d", "e"]),
        ("load=%3Cscript%3E", []),
    ],
)
async def test_claims_are_filtered_and_in_order(
    alive: Living, query: str, found: list[str]
) -> None:
    await mixed(alive)
    assert await claims(alive, query) == found


async def test_a_claim_is_shown_with_what_applies_to_it(alive: Living) -> None:
    await alive.grant("node1", "a", pod="p1", priority=3)
    await alive.queue("node1", "b")
    holds, waits = (await alive.get("/claims"))["claims"]
    assert 0 <= holds.pop("heldSeconds") < 30
    assert 0 <= holds.pop("silentSeconds") < 30
    assert 0 <= waits.pop("waitedSeconds") < 30
    common = {"node": "node1", "ttlSeconds": 60}
    assert holds == common | {
        "claim": "a",
        "state": "held",
        "load": "load-a",
        "priority": 3,
        "pod": "velero/p1",
        "podUid": "u1",
        "slot": 0,
        "lease": "node1-slot-0",
        "fencingToken": alive.pool.node("node1").slots[0].token,
        "position": None,
        "present": None,
        "waitedSeconds": None,
    }
    assert waits == common | {
        "claim": "b",
        "state": "queued",
        "load": "load-b",
        "priority": 0,
        "pod": None,
        "podUid": None,
        "position": 1,
        "present": True,
        "slot": None,
        "lease": None,
        "heldSeconds": None,
        "silentSeconds": None,
        "fencingToken": None,
    }


async def pages(alive: Living, between: Any = None) -> list[str]:
    found, mark = [], ""
    while True:
        body = await alive.get(f"/claims?limit=2&continue={mark}")
        found += [one["claim"] for one in body["claims"]]
        if between is not None:
            await between()
        mark = body.get("continue", "")
        if not mark:
            return found


async def test_pages_show_every_claim_once(alive: Living) -> None:
    await mixed(alive)
    assert await pages(alive) == ["a", "b", "c", "d", "e"]


async def test_a_claim_that_stays_is_shown_once_though_the_queue_moves(alive: Living) -> None:
    await alive.grant("node1", "a")
    for claim in "bcdefg":
        await alive.queue("node1", claim)
    leaving = iter("cbe")

    async def leave() -> None:
        if claim := next(leaving, ""):
            await alive.release("node1", claim)

    found = await pages(alive, leave)
    assert len(found) == len(set(found))
    assert {"a", "d", "f", "g"} <= set(found)


@pytest.mark.parametrize(
    ("query", "problem", "field"),
    [
        ("nodes?state=late", "malformed", "query.state"),
        ("nodes?node=UPPER", "malformed", "query.node"),
        ("nodes?" + "&".join(f"node=n{n}" for n in range(501)), "out-of-range", "query.node"),
        ("claims?state=free", "malformed", "query.state"),
        ("claims?limit=0", "out-of-range", "query.limit"),
        ("claims?continue=bm9kZTE=", "malformed", "query.continue"),
        ("claims?continue=WyJub2RlMSIsWzBdXQ==", "malformed", "query.continue"),
        ("claims?continue=%21", "malformed", "query.continue"),
    ],
)
async def test_a_bad_question_is_refused(
    alive: Living, query: str, problem: str, field: str
) -> None:
    answer = await alive.api("GET", f"{POOL}/{query}")
    assert (answer.problem, answer.json["errors"][0]["field"]) == (problem, field)


async def test_others_get_a_turn_while_thousands_are_looked_through(
    alive: Living, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(turns, "TURN", 0.0)
    assert await nodes(alive, "state=held") == []
    assert await nodes(alive, "") == ["node1", "node2", "node3"]


@pytest.mark.parametrize("path", ["/nodes", "/claims", "/config"])
async def test_a_pool_without_a_picture_lists_nothing(alive: Living, path: str) -> None:
    alive.pool._trouble = "the list of Leases failed"
    assert (await alive.api("GET", POOL + path)).problem == "not-ready"
