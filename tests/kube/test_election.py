"""The election on an API server with faults: who leads, from when, and until when."""

from __future__ import annotations

import asyncio
from itertools import pairwise
from math import inf

import pytest

from coordinator.embedded.resources import LEASES
from tests.agent_client.virtual import in_virtual_time, now
from tests.kube.elections import (
    LOST,
    NAME,
    NO_ANSWER,
    NS,
    WELL,
    ApiServer,
    Fate,
    Peer,
    until,
    writes,
)


async def leader_and_follower(server: ApiServer) -> tuple[Peer, Peer]:
    """`a` leads, `b` has seen it."""
    first = Peer(server, "a")
    await until(lambda: first.leads)
    second = Peer(server, "bb")
    await until(lambda: second.follows == "a")
    return first, second


# --- who leads ------------------------------------------------------------------------------------


def test_the_first_candidate_leads_within_a_second_and_says_where() -> None:
    async def scenario() -> None:
        server = ApiServer()
        peer = Peer(server, "a")
        assert await until(lambda: peer.leads) < 1
        assert peer.elector.leader is not None
        assert peer.elector.leader.url == "http://a"
        assert [told[1:] for told in peer.told] == [(True, "a")]
        await peer.stop()

    in_virtual_time(scenario())


def test_a_url_that_is_known_later_reaches_who_follows() -> None:
    async def scenario() -> None:
        server = ApiServer()
        first, second = await leader_and_follower(server)
        first.elector.url = "http://moved"
        await asyncio.sleep(3)
        for peer in (first, second):
            assert peer.elector.leader is not None
            assert peer.elector.leader.url == "http://moved"
        assert [told[1:] for told in first.told] == [(True, "a"), (True, "a")]
        await asyncio.gather(first.stop(), second.stop())

    in_virtual_time(scenario())


def test_a_leader_keeps_leading_and_tells_nobody_of_renewals() -> None:
    async def scenario() -> None:
        server = ApiServer()
        first, second = await leader_and_follower(server)
        begun = now()
        await asyncio.sleep(600)
        assert first.leads
        assert not second.leads
        assert (len(first.told), len(second.told)) == (1, 1)
        gaps = [b.at - a.at for a, b in pairwise(server.requests("a", begun))]
        assert all(1.9 <= gap <= 2.1 for gap in gaps)
        assert server.requests("bb", begun) == []  # the watch is enough
        assert server.lease()["spec"]["leaseTransitions"] == 0
        await asyncio.gather(first.stop(), second.stop())

    in_virtual_time(scenario())


def test_a_killed_leader_is_followed_at_its_leases_end_and_not_before() -> None:
    async def scenario() -> None:
        server = ApiServer()
        first, second = await leader_and_follower(server)
        await asyncio.sleep(20.5)
        last = server.requests("a")[-1].at
        await first.stop()
        await until(lambda: second.leads)
        assert 15 <= server.requests("bb")[-1].at - last <= 15.5
        assert [told[1:] for told in second.told] == [(False, "a"), (False, ""), (True, "bb")]
        assert server.lease()["spec"]["leaseTransitions"] == 1
        await second.stop()

    in_virtual_time(scenario())


@pytest.mark.parametrize("by_hand", [False, True])
def test_a_released_or_deleted_lease_is_taken_at_once(by_hand: bool) -> None:
    async def scenario() -> None:
        server = ApiServer()
        first, second = await leader_and_follower(server)
        await first.stop()
        if by_hand:
            server.store.delete(LEASES, NS, NAME)
        else:
            assert await first.elector.release()
            assert first.elector.deadline == -inf
            assert (server.holder, first.follows) == ("", "")
        assert await until(lambda: second.leads) < 0.5
        await second.stop()

    in_virtual_time(scenario())


def test_a_leader_that_sees_another_holder_or_no_lease_has_lost() -> None:
    async def scenario() -> None:
        server = ApiServer()
        peer = Peer(server, "a")
        await until(lambda: peer.leads)
        server.by_hand({"spec": {"holderIdentity": "zoe", "renewTime": None}})
        assert await until(lambda: not peer.leads) < 0.1
        await until(lambda: peer.leads)
        server.deaf = True  # then its own next write shows it
        server.by_hand({"spec": {"holderIdentity": "zoe", "renewTime": None}})
        assert await until(lambda: not peer.leads) < 2.1
        await until(lambda: peer.leads)
        server.deaf = False
        server.store.delete(LEASES, NS, NAME)
        told = len(peer.told)
        assert await until(lambda: len(peer.told) == told + 1) < 0.1
        await until(lambda: peer.leads)
        assert [told[1:] for told in peer.told[-2:]] == [(False, ""), (True, "a")]
        await peer.stop()

    in_virtual_time(scenario())


def test_a_hand_that_edits_labels_neither_ends_nor_prolongs_a_leadership() -> None:
    async def scenario() -> None:
        server = ApiServer()
        first, second = await leader_and_follower(server)
        for _ in range(20):
            await asyncio.sleep(1.3)
            server.by_hand({"metadata": {"labels": {"team": f"t{now():.0f}"}}})
        assert (first.leads, len(first.told)) == (True, 1)
        await first.stop()
        stopped = server.requests("a")[-1].at
        while not second.leads:
            await asyncio.sleep(1.3)
            server.by_hand({"metadata": {"labels": {"team": f"t{now():.0f}"}}})
        assert 15 <= now() - stopped <= 19
        assert server.lease()["metadata"]["labels"]["team"].startswith("t")
        await second.stop()

    in_virtual_time(scenario())


def test_a_follower_whose_watch_is_deaf_follows_and_takes_over_all_the_same() -> None:
    async def scenario() -> None:
        server = ApiServer()
        first, second = await leader_and_follower(server)
        server.deaf = True
        await asyncio.sleep(100)
        assert second.told == [second.told[0]]
        asked = len(server.requests("bb"))
        assert 8 <= asked <= 12
        await first.stop()
        await until(lambda: second.leads, within=26)
        await second.stop()

    in_virtual_time(scenario())


def test_a_follower_whose_watch_is_refused_says_so_and_takes_over_all_the_same() -> None:
    async def scenario() -> None:
        server = ApiServer(fate=lambda call: Fate(code=403) if call.verb == "watch" else WELL)
        first, second = await leader_and_follower(server)
        await asyncio.sleep(30)
        assert second.follows == "a"
        assert "watch leases" in second.trouble[0]
        assert "Missing right" in second.trouble[0]
        await first.stop()
        await until(lambda: second.leads, within=26)
        await second.stop()

    in_virtual_time(scenario())


# --- giving it up ---------------------------------------------------------------------------------


def test_release_waits_for_nothing_and_says_when_it_is_not_known_to_stand() -> None:
    async def scenario() -> None:
        server = ApiServer()
        peer = Peer(server, "a")
        await until(lambda: peer.leads)
        await peer.stop()
        server.fate = lambda _call: LOST
        begun = now()
        releasing = asyncio.create_task(peer.elector.release())
        await asyncio.sleep(0)
        assert peer.elector.deadline == -inf
        assert await releasing is False
        assert now() - begun <= 5.01
        assert server.holder == "a"

    in_virtual_time(scenario())


@pytest.mark.parametrize("fate", [NO_ANSWER, LOST])
def test_a_release_after_a_renewal_of_unknown_outcome_reads_first(fate: Fate) -> None:
    async def scenario() -> None:
        server = ApiServer()
        peer = Peer(server, "a")
        await until(lambda: peer.leads)
        server.fate = writes(fate)
        sent = len(server.requests("a"))
        await until(lambda: len(server.requests("a")) > sent)
        await asyncio.sleep(1)
        await peer.stop()
        server.fate = lambda _call: WELL
        assert await peer.elector.release()
        assert server.holder == ""
        assert [one.verb for one in server.requests("a")][-2:] == ["get", "update"]

    in_virtual_time(scenario())


def test_nobody_releases_what_another_holds() -> None:
    async def scenario() -> None:
        server = ApiServer()
        first, second = await leader_and_follower(server)
        await second.stop()
        version = server.store.version
        assert await second.elector.release() is False
        assert server.store.version <= version + 1  # but for a renewal of the leader's
        assert server.holder == "a"
        await first.stop()

    in_virtual_time(scenario())
