"""Long waits: told once each, the longest first, a few at a time, with all that explains them."""

from __future__ import annotations

from coordinator.core import messages as m
from coordinator.core.claims import Policy
from coordinator.core.model import PodRef
from coordinator.core.waits import LongWait, long_waits
from tests.core.play import POD, Play, ask

LONG = Policy().long_wait


def asks(play: Play, *claims: str) -> None:
    """The claims are heard of, each for a Pod of its own."""
    for claim in claims:
        play(ask(claim, pod=PodRef("velero", f"pod-{claim}", claim)))
        play(m.PollEnded((claim,)))


def waiting(*claims: str, policy: Policy | None = None) -> Play:
    """A full node, for which these claims begin to wait now."""
    play = Play(policy=policy)
    play.grant("x", ttl=3600)
    asks(play, *claims)
    return play


def later(play: Play, seconds: float, *claims: str) -> None:
    """So much time passes, in which these claims go on asking."""
    end = play.now + seconds
    while play.now < end:
        play.later(min(10.0, end - play.now))
        asks(play, *claims)


def told(play: Play, most: int = 5) -> list[str]:
    return [one.claim for one in long_waits([play.table], play.now, most)]


def test_a_long_wait_is_told_once_with_all_that_explains_it() -> None:
    play = waiting("a", "b")
    later(play, LONG - 1, "a", "b")
    assert told(play) == []
    later(play, 1, "a", "b")
    pod, reason = PodRef("velero", "pod-b", "b"), "1 of 1 slots of node1 are held"
    assert long_waits([play.table], play.now, 5)[1] == LongWait(
        "b", "load-b", pod, "node1", LONG, 2, 2, reason, ("load-x",)
    )
    later(play, 3 * LONG, "a", "b")
    assert told(play) == []


def test_many_are_told_a_few_at_a_time_the_longest_first_over_all_nodes() -> None:
    newer = waiting("c", "d")
    older = waiting("a", "b")
    newer.now += 10
    asks(newer, "e")
    later(older, 2 * LONG, "a", "b")
    later(newer, 2 * LONG, "c", "d", "e")
    older.table.roll.claims["b"].since -= 1
    newer.table.roll.claims["c"].since += 1
    asks(older, "a", "b")
    tables = [newer.table, older.table]
    rounds = [[one.claim for one in long_waits(tables, older.now, 2)] for _ in range(4)]
    assert rounds == [["b", "d"], ["a", "c"], ["e"], []]


def test_who_left_and_came_back_waits_anew() -> None:
    play = waiting("a")
    later(play, LONG, "a")
    assert told(play) == ["a"]
    play(m.Leave("a"))
    later(play, play.table.policy.memory)
    asks(play, "a")
    later(play, LONG - 1, "a")
    assert told(play) == []
    later(play, 1, "a")
    assert told(play) == ["a"]


def test_who_is_away_is_told_of_when_it_asks_again() -> None:
    play = waiting("a")
    later(play, LONG - 20, "a")
    play.later(20)
    assert told(play) == []
    asks(play, "a")
    assert told(play) == ["a"]


def test_a_claim_without_a_pod_is_not_told_of() -> None:
    play = waiting()
    for _ in range(100):
        play(ask("a"))
        play(m.PollEnded(("a",)))
        play.later(10)
    assert told(play) == []


def test_a_grant_that_fails_ends_no_wait() -> None:
    play = Play()
    make = play(ask("a", pod=POD), m.Make)
    grant = play.done(make, m.Grant)
    play(m.Failed(grant.op, "429"))
    play.now += LONG
    assert told(play) == ["a"]
    assert told(play) == []


def test_nothing_is_told_where_that_is_turned_off() -> None:
    play = waiting("a", policy=Policy(long_wait=0.0))
    later(play, 2 * LONG, "a")
    assert told(play) == []
