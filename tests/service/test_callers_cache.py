"""How long the API server's word is taken, how often it is asked, and what the Pod watch ends."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

import pytest

from coordinator.service.errors import Unauthenticated
from tests.service.cluster import NS
from tests.service.door import ADMISSIONS, CLIENTS, pod_get, token_review
from tests.service.faults import lost_before

if TYPE_CHECKING:
    from aiohttp import web
    from aiohttp.typedefs import Handler

    from tests.service.door import Door


async def refused(at: Door, token: str = "t") -> bool:
    try:
        await at.identify(token)
    except Unauthenticated:
        return True
    return False


async def test_an_accepted_token_is_reviewed_again_after_two_minutes(at: Door) -> None:
    at.agent("t")
    for _ in range(12):
        await at.identify("t")
        await at.cluster.jumps.advance(9.75)
    assert at.reviews() == 1
    await at.cluster.jumps.advance(3.25)
    await at.identify("t")
    assert at.reviews() == 2


async def test_a_token_that_is_not_accepted_any_more_is_refused_after_two_minutes(at: Door) -> None:
    at.person("t")
    await at.identify("t")
    del at.cluster.store.tokens["t"]
    assert not await refused(at)
    await at.cluster.jumps.advance(120)
    assert await refused(at)


async def test_a_refused_token_is_reviewed_again_after_ten_seconds(at: Door) -> None:
    for _ in range(9):
        assert await refused(at)
        await at.cluster.jumps.advance(1)
    assert at.reviews() == 1
    at.agent("t")
    await at.cluster.jumps.advance(1)
    assert not await refused(at)
    assert at.reviews() == 2


async def test_a_hundred_requests_with_one_token_are_one_review(at: Door) -> None:
    at.agent("t")
    callers = await asyncio.gather(*(at.callers.identify("t") for _ in range(100)))
    assert {caller.agent for caller in callers} == {callers[0].agent}
    assert len(at.asked()) == 1


async def test_the_review_goes_on_for_the_others_when_who_asked_first_leaves(at: Door) -> None:
    at.agent("t")
    first = at.cluster.start(at.callers.identify("t"))
    second = at.cluster.start(at.callers.identify("t"))
    await asyncio.sleep(0)
    first.cancel()
    assert (await second).agent is not None
    assert len(at.asked()) == 1


async def test_the_metrics_count_what_the_api_server_was_asked(at: Door) -> None:
    at.agent("t")
    for token in ("t", "t", "t", "nobody"):
        await refused(at, token)
    at.cluster.faults.on(token_review(), lost_before)
    with pytest.raises(Exception, match="nobody knows"):
        await at.identify("u")
    text = at.metrics.render().decode()
    for result in ("accepted", "refused", "unknown"):
        assert f'nodeslots_reviews_total{{result="{result}",review="token"}} 1.0' in text


# --- what the Pod watch says ----------------------------------------------------------------------


async def test_a_deleted_pods_token_is_refused_though_the_api_server_still_remembers_it(
    at: Door,
) -> None:
    """It answers up to ten seconds from its own cache."""
    uid = at.agent("t")
    await at.identify("t")
    at.cluster.delete_pod("agent-x")
    at.callers.pod_gone(uid)
    assert await refused(at)
    assert at.reviews() == 2


async def test_a_review_that_overlooked_the_end_of_the_pod_is_not_believed(at: Door) -> None:
    uid = at.agent("t")
    at.cluster.delete_pod("agent-x")
    asking = at.cluster.start(at.callers.identify("t"))
    await asyncio.sleep(0)
    at.callers.pod_gone(uid)
    with pytest.raises(Unauthenticated):
        await asking


@pytest.mark.parametrize("told", ["deleted", "not listed"])
async def test_a_look_that_overlooked_the_end_of_the_pod_is_not_believed(
    at: Door, told: str
) -> None:
    async def late(request: web.Request, handler: Handler) -> web.StreamResponse:
        answer = await handler(request)
        await asyncio.sleep(1)
        return answer

    uid = at.agent("t")
    at.cluster.faults.on(pod_get(), late)
    asking = at.cluster.start(at.callers.identify("t"))
    await at.cluster.jumps.advance(0.5)
    at.cluster.delete_pod("agent-x")
    if told == "deleted":
        at.callers.pod_gone(uid)
    else:
        at.callers.pods_listed(NS, set())
    await at.cluster.jumps.until(asking.done)
    assert isinstance(asking.exception(), Unauthenticated)


async def test_a_pod_that_finished_shows_as_deleted_and_is_merely_reviewed_again(at: Door) -> None:
    uid = at.agent("t")
    await at.identify("t")
    at.callers.pod_gone(uid)
    assert not await refused(at)
    assert at.reviews() == 2
    assert not await refused(at)
    assert at.reviews() == 2


async def test_all_tokens_of_a_pod_end_with_it_and_no_others(at: Door) -> None:
    uid = at.agent("old")
    at.bind("new", "agent-x", uid)
    at.agent("other", "agent-y")
    for token in ("old", "new", "other"):
        await at.identify(token)
    at.cluster.delete_pod("agent-x")
    at.callers.pod_gone(uid)
    assert [await refused(at, token) for token in ("old", "new", "other")] == [True, True, False]
    assert at.reviews() == 5


async def test_a_pod_that_is_missing_in_a_list_of_its_namespace_is_gone(at: Door) -> None:
    gone, there = at.agent("gone", "agent-x"), at.agent("there", "agent-y")
    elsewhere = at.agent("elsewhere", namespace=CLIENTS)
    for token in ("gone", "there", "elsewhere"):
        await at.identify(token)
    at.cluster.delete_pod("agent-x")
    at.callers.pods_listed(NS, {there})
    assert len({gone, there, elsewhere}) == 3
    found = [await refused(at, token) for token in ("gone", "there", "elsewhere")]
    assert found == [True, False, False]
    assert at.reviews() == 4


async def test_a_token_first_seen_after_the_list_that_misses_its_pod_is_looked_at(at: Door) -> None:
    at.callers.pods_listed(NS, set())
    at.agent("new", "agent-y")
    uid = at.agent("gone")
    at.cluster.delete_pod("agent-x")
    assert await refused(at, "gone")
    assert not await refused(at, "new")
    assert uid not in repr(at.callers)


async def test_a_new_reign_reviews_every_agents_token_again_and_no_persons(at: Door) -> None:
    at.agent("t")
    at.person("p")
    await at.identify("t")
    await at.identify("p")
    at.callers.begin_reign()
    await at.identify("t")
    await at.identify("p")
    assert at.reviews() == 3
    await at.identify("t")
    assert at.reviews() == 3


async def test_a_leaders_pod_watch_ends_the_token_of_a_deleted_pod(at: Door) -> None:
    cluster = at.cluster
    at.agent("t")
    at.agent("u", namespace=CLIENTS)
    async with cluster.coordinator(callers=at.callers, admissions=ADMISSIONS):
        await cluster.jumps.advance(40)
        await at.identify("t")
        await at.identify("u")
        cluster.delete_pod("agent-x")
        await cluster.jumps.advance(1)
        assert await refused(at)
        assert not await refused(at, "u")
        assert at.reviews() == 3


async def test_what_was_deleted_while_nobody_watched_is_found_by_the_first_list(at: Door) -> None:
    at.agent("t")
    await at.identify("t")
    at.cluster.delete_pod("agent-x")
    async with at.cluster.coordinator(callers=at.callers, admissions=ADMISSIONS):
        await at.cluster.jumps.advance(1)
        assert await refused(at)


async def test_whoever_leads_anew_asks_about_agents_that_it_knew_before(at: Door) -> None:
    at.agent("t")
    await at.identify("t")
    async with at.cluster.coordinator(callers=at.callers, admissions=ADMISSIONS):
        await at.identify("t")
        assert at.reviews() == 2
