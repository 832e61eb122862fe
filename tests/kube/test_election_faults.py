"""Until when a leader leads, and what is sent, while requests fail, hang or come late."""

from __future__ import annotations

import asyncio
from itertools import pairwise
from math import inf
from random import Random
from typing import TYPE_CHECKING

import pytest

from tests.agent_client.virtual import in_virtual_time, now
from tests.kube.elections import (
    AWAY,
    LOST,
    NO_ANSWER,
    WELL,
    ApiServer,
    Boottime,
    Fate,
    Peer,
    until,
    writes,
)

if TYPE_CHECKING:
    from collections.abc import Callable

    from coordinator.kube.calls import Call

# --- until when -----------------------------------------------------------------------------------


@pytest.mark.parametrize("fate", [LOST, NO_ANSWER, AWAY])
def test_a_leader_whose_writes_are_not_answered_has_lost_at_its_deadline(fate: Fate) -> None:
    async def scenario() -> None:
        server = ApiServer()
        peer = Peer(server, "a")
        await until(lambda: peer.leads)
        await asyncio.sleep(7)
        server.fate = lambda _call: fate
        deadline = peer.elector.deadline - peer.clock.ahead
        last = server.requests("a")[-1].at
        assert deadline == pytest.approx(last + 10)
        await until(lambda: not peer.leads)
        assert peer.told[-1][0] == pytest.approx(deadline, abs=0.01)
        assert peer.told[-1][1:] == (False, "")
        assert peer.elector.deadline == -inf
        await peer.stop()

    in_virtual_time(scenario())


def test_no_request_of_a_leader_outlives_its_deadline() -> None:
    async def scenario() -> None:
        server = ApiServer()
        peer = Peer(server, "a")
        await until(lambda: peer.leads)
        server.fate = writes(LOST)
        deadline = peer.elector.deadline - peer.clock.ahead
        begun = now()
        await until(lambda: not peer.leads)
        hung = [one for one in server.requests("a", begun) if one.at < deadline]
        assert [one.verb for one in hung] == ["update", "get", "update"]
        assert all(one.at + one.timeout <= deadline + 1e-6 for one in hung)
        assert hung[0].timeout == 5
        await peer.stop()

    in_virtual_time(scenario())


def test_a_write_of_unknown_outcome_counts_only_by_the_next_write() -> None:
    async def scenario() -> None:
        server = ApiServer()
        peer = Peer(server, "a")
        await until(lambda: peer.leads)
        await asyncio.sleep(4.5)
        before = peer.elector.deadline
        server.fate = writes(NO_ANSWER)
        committed = server.lease()["spec"]["renewTime"]
        await until(lambda: server.lease()["spec"]["renewTime"] != committed)
        assert server.lease()["spec"]["holderIdentity"] == "a"
        await until(lambda: peer.trouble)
        assert peer.elector.deadline == before
        server.fate = lambda _call: WELL
        await until(lambda: peer.elector.deadline > before)
        assert peer.elector.deadline - peer.clock.ahead == pytest.approx(
            server.requests("a")[-1].at + 10
        )
        assert peer.leads
        assert len(peer.told) == 1
        assert [one.verb for one in server.requests("a")][-2:] == ["get", "update"]
        assert peer.trouble[-1] == "well"
        await peer.stop()

    in_virtual_time(scenario())


def test_a_first_write_that_took_effect_without_an_answer_is_no_leadership_yet() -> None:
    async def scenario() -> None:
        server = ApiServer(fate=writes(NO_ANSWER))
        peer = Peer(server, "a")
        await until(lambda: peer.trouble)
        assert server.holder == "a"
        assert (peer.leads, peer.follows, peer.told) == (False, "", [])
        server.fate = lambda _call: WELL
        assert await until(lambda: peer.leads) < 3
        assert server.lease()["spec"]["leaseTransitions"] == 0
        await peer.stop()

    in_virtual_time(scenario())


def test_leadership_that_was_lost_and_won_again_is_told_as_both() -> None:
    async def scenario() -> None:
        server = ApiServer()
        peer = Peer(server, "a")
        await until(lambda: peer.leads)
        server.fate = lambda _call: AWAY
        await asyncio.sleep(12)
        server.fate = lambda _call: WELL
        await until(lambda: peer.leads)
        assert [told[1:] for told in peer.told] == [(True, "a"), (False, ""), (True, "a")]
        await peer.stop()

    in_virtual_time(scenario())


@pytest.mark.parametrize("phase", [0.5, 1.995, 2.0])
def test_after_a_stall_it_does_not_lead_at_the_first_look(phase: float) -> None:
    async def scenario() -> None:
        server = ApiServer()
        peer = Peer(server, "a")
        await until(lambda: peer.leads)
        await asyncio.sleep(20 + phase)  # at rest, or with a request under way
        peer.clock.ahead += 60
        assert not peer.leads
        begun = len(peer.told)
        await until(lambda: peer.leads)
        assert [told[1:] for told in peer.told[begun:]] == [(False, ""), (True, "a")]
        await peer.stop()

    in_virtual_time(scenario())


def test_an_answer_that_a_stall_kept_until_after_the_deadline_begins_a_new_leadership() -> None:
    async def scenario() -> None:
        server = ApiServer()
        peer = Peer(server, "a")
        await until(lambda: peer.leads)
        server.fate = writes(Fate(back=0.5))
        sent = len(server.requests("a"))
        await until(lambda: len(server.requests("a")) > sent)
        await until(lambda: now() > server.requests("a")[-1].at + 0.5)
        peer.clock.ahead += 8.0  # past the deadline, but the write under way counts for two more
        await until(lambda: len(peer.told) > 2)
        assert [told[1:] for told in peer.told[1:]] == [(False, ""), (True, "a")]
        assert peer.told[1][0] == peer.told[2][0]
        await peer.stop()

    in_virtual_time(scenario())


# --- what is sent ---------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "fate", [lambda _call: AWAY, writes(AWAY), lambda _call: Fate(code=429), writes(LOST)]
)
@pytest.mark.parametrize("leading", [True, False])
def test_in_an_outage_it_sends_at_most_one_request_a_second(
    fate: Callable[[Call], Fate], leading: bool
) -> None:
    async def scenario() -> None:
        server = ApiServer()
        peer = Peer(server, "a")
        if leading:
            await until(lambda: peer.leads)
        begun = now()
        server.fate = fate
        await asyncio.sleep(60)
        # The first one fails, or a read before it went well.
        times = [one.at for one in server.requests("a", begun)][0 if leading else 1 :]
        assert 10 <= len(times) <= 60
        assert all(later - earlier >= 0.98 for earlier, later in pairwise(times))
        server.fate = lambda _call: WELL
        assert await until(lambda: peer.leads) < 8
        assert peer.trouble[-1] == "well"
        await peer.stop()

    in_virtual_time(scenario())


def test_retry_after_is_honoured_but_costs_no_leadership() -> None:
    async def scenario() -> None:
        server = ApiServer()
        peer = Peer(server, "a")
        await until(lambda: peer.leads)
        await asyncio.sleep(1)
        server.fate = lambda _call: Fate(code=429, retry_after="60")
        await until(lambda: peer.trouble)
        server.fate = lambda _call: WELL
        first = server.requests("a")[-1].at
        await until(lambda: server.requests("a")[-1].at > first)
        assert 3 <= now() - first <= 5
        await asyncio.sleep(10)
        assert (peer.leads, len(peer.told)) == (True, 1)
        await peer.stop()

    in_virtual_time(scenario())


def test_a_follower_says_that_all_is_well_again_when_its_watch_does() -> None:
    async def scenario() -> None:
        server = ApiServer()
        first = Peer(server, "a")
        await until(lambda: first.leads)
        second = Peer(server, "bb")
        await until(lambda: second.follows == "a")
        server.fate, server.deaf = (lambda call: AWAY if call.verb == "get" else WELL), True
        await until(lambda: second.trouble)
        server.deaf = False
        await until(lambda: second.trouble[-1] == "well", within=3)
        await asyncio.sleep(20)
        assert second.trouble[-1] == "well"
        await asyncio.gather(first.stop(), second.stop())

    in_virtual_time(scenario())


# --- everything at once ---------------------------------------------------------------------------


def dice(rng: Random) -> Callable[[Call], Fate]:
    """Mostly well, now and then each thing that can go wrong with one request."""
    bad = [
        lambda: LOST,
        lambda: NO_ANSWER,
        lambda: AWAY,
        lambda: Fate(late=rng.uniform(0, 40)),
        lambda: Fate(there=rng.uniform(0, 6), back=rng.uniform(0, 6)),
        lambda: Fate(code=429, retry_after=str(rng.randint(1, 40))),
    ]
    return lambda _call: rng.choice(bad)() if rng.random() < 0.5 else WELL


@pytest.mark.parametrize("seed", range(8))
def test_no_two_candidates_ever_lead_at_once_whatever_happens_to_their_requests(seed: int) -> None:
    async def scenario() -> None:
        rng = Random(seed)
        server = ApiServer()
        # Their clocks agree in nothing but their pace, and in that to a fiftieth.
        clocks = [Boottime(rng.uniform(0, 1e6), pace) for pace in (0.99, 1.0, 1.01)]
        peers = [
            Peer(server, name, seed=seed, clock=clock)
            for name, clock in zip("abc", clocks, strict=True)
        ]
        most = [0]
        for peer in peers:
            peer.listeners.append(lambda: most.append(sum(one.leads for one in peers)))
        for _ in range(40):
            server.fate, server.deaf = dice(rng), rng.random() < 0.3
            await asyncio.sleep(rng.uniform(10, 60))
            server.fate = rng.choice([lambda _call: WELL, lambda _call: AWAY, writes(LOST)])
            await asyncio.sleep(rng.uniform(0, 30))
        server.fate, server.deaf = lambda _call: WELL, False
        await until(lambda: any(peer.leads for peer in peers))
        assert max(most) == 1
        wins = [told for peer in peers for told in peer.told if told[1]]
        assert len(wins) > 20
        await asyncio.gather(*(peer.stop() for peer in peers))

    in_virtual_time(scenario(), at_most=1e5)
