"""While the API server is away, or strangers flood it: who is served, and what it costs."""

from __future__ import annotations

import asyncio
from itertools import pairwise
from random import Random
from typing import TYPE_CHECKING

import orjson
import pytest
import structlog
from structlog.testing import capture_logs

from coordinator.kube.calls import Call
from coordinator.kube.errors import Unavailable
from coordinator.service import line, tokens
from coordinator.service.callers import LANES
from coordinator.service.errors import NotConfirmed, Unauthenticated
from coordinator.service.reports import StreamReports
from tests.service.door import pod_get, token_review
from tests.service.faults import forbidden, lost_before, throttled

if TYPE_CHECKING:
    from aiohttp import web
    from aiohttp.typedefs import Handler

    from coordinator.core.access import Caller
    from tests.service.door import Door


async def outcome(at: Door, token: str) -> Caller | Exception:
    try:
        return await at.callers.identify(token)
    except (Unauthenticated, NotConfirmed) as error:
        return error


async def test_an_agent_seen_before_comes_back_unconfirmed_and_a_stranger_does_not(
    at: Door,
) -> None:
    at.agent("known")
    at.agent("unknown", "agent-y")
    known = await at.identify("known")
    rule = at.cluster.faults.on(token_review(), lost_before, times=1e9)
    assert await at.identify("known") == known
    await at.cluster.jumps.advance(120)
    stale = await at.identify("known")
    assert (stale.agent, stale.confirmed) == (known.agent, False)
    with pytest.raises(NotConfirmed) as raised:
        await at.identify("unknown")
    assert raised.value.retry_after >= 1
    rule.times = 0
    await at.cluster.jumps.advance(2)
    assert await at.identify("known") == known
    assert (await at.identify("unknown")).confirmed


async def test_hours_of_outage_end_no_agent_that_was_seen_before(at: Door) -> None:
    at.agent("known")
    await at.identify("known")
    at.cluster.faults.on(token_review(), lost_before, times=1e9)
    at.cluster.jumps.stall(7200)
    assert not (await at.identify("known")).confirmed


async def test_a_token_whose_pod_is_gone_is_unknown_in_an_outage(at: Door) -> None:
    uid = at.agent("t")
    await at.identify("t")
    at.cluster.faults.on(token_review(), lost_before, times=1e9)
    at.callers.pod_gone(uid)
    with pytest.raises(NotConfirmed):
        await at.identify("t")


async def test_a_token_that_was_refused_since_is_unknown_in_an_outage(at: Door) -> None:
    at.agent("t")
    await at.identify("t")
    user = at.cluster.store.tokens.pop("t")
    await at.cluster.jumps.advance(120)
    with pytest.raises(Unauthenticated):
        await at.identify("t")
    at.cluster.store.tokens["t"] = user
    at.cluster.faults.on(token_review(), lost_before, times=1e9)
    await at.cluster.jumps.advance(10)
    with pytest.raises(NotConfirmed):
        await at.identify("t")


@pytest.mark.parametrize("fate", [lost_before, forbidden, throttled])
async def test_an_outage_costs_at_most_one_review_a_second_of_each_kind(
    at: Door, fate: object
) -> None:
    at.agent("known")
    await at.identify("known")
    await at.cluster.jumps.advance(120)
    at.cluster.faults.on(token_review(), fate, times=1e9)  # type: ignore[arg-type]
    before = len(at.asked())
    for n in range(60):
        found = [await outcome(at, token) for token in ("known", f"unknown-{n}")]
        assert [type(one).__name__ for one in found] == ["Caller", "NotConfirmed"]
        await at.cluster.jumps.advance(1)
    sent = at.asked()[before:]
    of_known = [orjson.loads(one.body)["spec"]["token"] == "known" for one in sent]
    for kind in True, False:
        times = [one.at for one, known in zip(sent, of_known, strict=True) if known is kind]
        gaps = [later - earlier for earlier, later in pairwise(times)]
        assert 2 <= len(times) <= 12
        assert min(gaps) >= (7 if fate is throttled else 1)


async def test_a_missing_right_is_named_in_the_log_once_for_each_try(at: Door) -> None:
    at.cluster.faults.on(token_review(), forbidden)
    with capture_logs() as logs, pytest.raises(NotConfirmed):
        await at.identify("t")
    warned = [one["error"] for one in logs if one["log_level"] == "warning"]
    assert len(warned) == 1
    assert "Missing right: tokenreviews.authentication.k8s.io: create" in warned[0]
    await at.cluster.jumps.advance(2)
    with capture_logs() as logs, pytest.raises(Unauthenticated):
        await at.identify("t")
    assert [one["event"] for one in logs] == ["API server answers again", "token refused"]


async def test_an_api_server_that_swallows_everything_holds_nobody_for_long(at: Door) -> None:
    at.agent("known")
    await at.identify("known")
    await at.cluster.jumps.advance(120)
    at.cluster.faults.on(token_review(), at.cluster.faults.swallow, times=1e9)
    waiting = [at.cluster.start(outcome(at, f"t{n}")) for n in range(30)]
    waiting.append(at.cluster.start(outcome(at, "known")))
    took = await at.cluster.jumps.until(lambda: all(one.done() for one in waiting))
    assert took <= line.PATIENCE
    assert not waiting[-1].result().confirmed
    assert len(at.asked()) <= 1 + 2 * LANES


def outage_of(at: Door) -> line.Outage:
    reports = StreamReports(structlog.get_logger())
    return line.Outage("pods", at.cluster.jumps.now, Random(1), reports)


async def fails() -> str:
    raise Unavailable(Call("get", "pods"), "no connection")


async def works() -> str:
    return "works"


async def test_a_probe_that_is_given_up_does_not_shut_the_line_for_good(at: Door) -> None:
    outage = outage_of(at)
    await outage.ask(fails)
    at.cluster.jumps.stall(60)
    probing = asyncio.create_task(outage.ask(asyncio.Event().wait))
    await asyncio.sleep(0)
    assert isinstance(await outage.ask(works), line.Away)
    probing.cancel()
    await asyncio.wait([probing])
    assert await outage.ask(works) == "works"


async def test_each_outage_begins_with_short_waits(at: Door) -> None:
    outage = outage_of(at)
    for _ in range(2):
        waits = []
        for _ in range(5):
            away = await outage.ask(fails)
            assert isinstance(away, line.Away)
            waits.append(away.retry_after)
            at.cluster.jumps.stall(60)
        assert waits[0] <= 1.6
        assert waits[-1] > 10
        assert await outage.ask(works) == "works"


async def test_reviews_that_fail_together_are_one_failure(at: Door) -> None:
    at.cluster.faults.on(token_review(), lost_before, times=1e9)
    with capture_logs() as logs:
        found = await asyncio.gather(*(outcome(at, f"t{n}") for n in range(LANES)))
    assert len([one for one in logs if one["log_level"] == "warning"]) == 1
    assert all(isinstance(one, NotConfirmed) and one.retry_after <= 1.6 for one in found)
    assert len(at.asked()) == LANES


async def test_a_look_at_a_pod_in_an_outage_keeps_a_known_agent_and_no_other(at: Door) -> None:
    at.agent("t", tells_node=False)
    known = await at.identify("t")
    await at.cluster.jumps.advance(120)
    at.cluster.faults.on(pod_get(), lost_before, times=9)
    stale = await at.identify("t")
    assert (stale.agent, stale.confirmed) == (known.agent, False)


# --- floods ---------------------------------------------------------------------------------------


async def test_a_flood_of_garbage_is_paced_and_held_agents_are_served_meanwhile(at: Door) -> None:
    at.agent("held")
    await at.identify("held")
    await at.cluster.jumps.advance(120)
    begun, before = at.cluster.jumps.now(), len(at.asked())
    flood = [at.cluster.start(outcome(at, f"garbage-{n}")) for n in range(1000)]
    await asyncio.sleep(0)
    assert (await at.identify("held")).confirmed
    assert at.cluster.jumps.now() - begun <= 0.25
    await at.cluster.jumps.until(lambda: all(one.done() for one in flood))
    seconds = at.cluster.jumps.now() - begun
    assert len(at.asked()) - before <= 2 * LANES * (seconds / 0.2 + 1) + 2
    kinds = [type(one.result()).__name__ for one in flood]
    assert kinds.count("NotConfirmed") > 0
    assert kinds.count("Unauthenticated") >= 200


async def test_more_than_can_wait_are_told_to_ask_again(
    at: Door, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(line, "MOST_WAITING", 20)
    flood = [at.cluster.start(outcome(at, f"garbage-{n}")) for n in range(30)]
    await at.cluster.jumps.until(lambda: all(one.done() for one in flood))
    kinds = [type(one.result()).__name__ for one in flood]
    assert kinds == ["Unauthenticated"] * 20 + ["NotConfirmed"] * 10


async def test_no_more_reviews_are_under_way_than_there_are_lanes(at: Door) -> None:
    under_way, most = 0, 0

    async def counted(request: web.Request, handler: Handler) -> web.StreamResponse:
        nonlocal under_way, most
        under_way += 1
        most = max(most, under_way)
        await asyncio.sleep(1)
        under_way -= 1
        return await handler(request)

    for n in range(40):
        at.agent(f"known-{n}", f"agent-{n}")
        await at.identify(f"known-{n}")
    await at.cluster.jumps.advance(120)
    at.cluster.faults.on(token_review(), counted, times=1e9)
    asking = [
        at.cluster.start(outcome(at, f"{kind}-{n}"))
        for n in range(40)
        for kind in ("known", "unknown")
    ]
    await at.cluster.jumps.until(lambda: all(one.done() for one in asking))
    assert most == 2 * LANES


async def test_what_is_remembered_is_bounded_and_the_longest_unused_goes_first(
    at: Door, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(tokens, "MOST_ACCEPTED", 3)
    monkeypatch.setattr(tokens, "MOST_REFUSED", 2)
    for n in range(4):
        at.agent(f"t{n}", f"agent-{n}")
    for token in ("t0", "t1", "t2", "t0", "t3", "g0", "g1", "g2"):
        await outcome(at, token)
        await at.cluster.jumps.advance(0.5)
    memory = at.callers._tokens
    assert len(memory) == 3 + 2
    assert len(memory._of_pod) == 3
    asked = len(at.asked())
    for token in ("t0", "t2", "t3", "g1", "g2"):
        await outcome(at, token)
    assert len(at.asked()) == asked
    await outcome(at, "t1")
    assert len(at.asked()) == asked + 1


async def test_pods_that_went_are_remembered_within_bounds(
    at: Door, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(tokens, "MOST_GONE", 100)
    for n in range(1000):
        at.callers.pod_gone(f"uid-{n}")
    assert len(at.callers._tokens._gone) == 100
