"""A grant that had to wait for its first sending: is it still right by then? (P1, P8)"""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from coordinator.core import messages as m
from coordinator.core.grants import stands_by
from coordinator.core.views import Queued, Released
from tests.core.play import Play, ask

if TYPE_CHECKING:
    from collections.abc import Callable


def granting() -> tuple[Play, m.Grant]:
    play = Play()
    grant = play.done(play(ask("a"), m.Make), m.Grant)
    play(m.PollEnded(("a",)))
    return play, grant


def handing_over() -> tuple[Play, m.HandOver]:
    play = Play()
    play.grant("x")
    play(ask("a"))
    play(m.PollEnded(("a",)))
    return play, play(m.Leave("x"), m.HandOver)


def wait(play: Play) -> None:
    play.now += 15.1


CHANGES: dict[str, Callable[[Play], object]] = {
    "its limit shrank": lambda play: play(m.SetLimit(0)),
    "its node is on hold": lambda play: play(m.SetHold("drain")),
    "its client is gone": wait,
    "it left": lambda play: play(m.Leave("a")),
}
BEGINNINGS = pytest.mark.parametrize("begin", [granting, handing_over])


@BEGINNINGS
def test_a_grant_stands_while_nothing_has_changed(
    begin: Callable[[], tuple[Play, m.Grant]],
) -> None:
    play, grant = begin()
    play.now += 14.9
    assert stands_by(play.table, grant, play.now)


@BEGINNINGS
@pytest.mark.parametrize("change", CHANGES)
def test_a_grant_stands_no_more_once(
    change: str, begin: Callable[[], tuple[Play, m.Grant]]
) -> None:
    play, grant = begin()
    CHANGES[change](play)
    assert not stands_by(play.table, grant, play.now)


def test_a_grant_above_the_limit_in_sum_stands_no_more() -> None:
    play = Play(limit=2)
    play.grant("x")
    grant = play.done(play(ask("a"), m.Make), m.Grant)
    assert grant.ordinal == 1
    play.hand(0, None)
    second = play(play.server.history[-1].event, m.ReadBack)
    play(m.SetLimit(1))
    assert not stands_by(play.table, grant, play.now)
    assert stands_by(play.table, second, play.now), "reads and other writes may always go"


def test_a_withdrawn_grant_returns_its_claim_to_its_place_without_a_pause() -> None:
    play, grant = granting()
    play(m.SetHold("drain"))
    play(ask("b"))
    play(m.Withdrawn(grant.op))
    assert play.waits() == ["a", "b"]
    assert isinstance(play.view("a"), Queued)
    again = play(m.SetHold(""), m.Grant)
    assert (again.claim, again.op) == ("a", grant.op + 1)


def test_a_withdrawn_hand_over_empties_the_lease_instead() -> None:
    play, over = handing_over()
    play(m.SetLimit(0))
    free = play(m.Withdrawn(over.op), m.Free)
    play.done(free, m.Remove)
    assert play.waits() == ["a"]


def test_a_claim_that_left_before_its_grant_was_sent_is_released_by_its_withdrawal() -> None:
    play, grant = granting()
    play(m.Leave("a"))
    play(m.Withdrawn(grant.op))
    assert play.view("a") == Released("a")
