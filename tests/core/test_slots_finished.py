"""A claim whose Pod was seen finished is not granted again for that Pod, over and over."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from coordinator.core import messages as m
from coordinator.core.claims import Policy
from coordinator.core.model import PodRef, Verdict
from coordinator.core.refusals import ClaimReleased, PodFinished
from coordinator.core.views import Lost
from tests.core.play import POD, Play, ask

if TYPE_CHECKING:
    from coordinator.core.views import Granted

FREES = (m.Reclaimed, m.Free)
NAMELESS = PodRef("velero", "pod-a")
MOVED = PodRef("velero", "pod-a", "uid-b")


def finished(pod: PodRef = POD) -> tuple[Play, Granted]:
    """The slot of `a` was taken back, since its Pod has finished."""
    play = Play()
    view = play.grant("a", pod=pod)
    play(m.PodChanged("a"), m.Examine)
    _, free = play.look("a", Verdict.FINISHED, *FREES)
    play.done(free)
    return play, view


def test_it_is_refused_as_long_as_that_is_remembered_and_nothing_changes() -> None:
    play, _ = finished()
    for _ in range(10):
        with pytest.raises(PodFinished) as refused:
            play(ask("a", pod=POD))
        assert refused.value.pod == POD
        play.later(59)
    assert "a" not in play.table.roll.claims
    play.later(Policy().finished_memory)
    assert play.grant("a", pod=POD)


def test_in_another_pod_it_is_a_new_beginning() -> None:
    play, before = finished()
    view = play.grant("a", pod=MOVED)
    assert view.token > before.token


def test_without_a_pod_it_is_a_new_beginning() -> None:
    play, _ = finished()
    assert play.grant("a")


def test_another_claim_of_that_pod_is_looked_at_for_itself() -> None:
    play, _ = finished()
    assert play.grant("b", pod=POD)


def test_who_shows_the_token_is_told_that_the_slot_is_lost_and_why() -> None:
    play, view = finished()
    play.later(500)
    play(ask("a", pod=POD, token=view.token))
    told = play.view("a", view.token)
    assert isinstance(told, Lost)
    assert told.detail == "Lease node1-slot-0: its Pod has finished"


def test_a_name_alone_may_be_another_pods_and_refuses_nobody() -> None:
    play, _ = finished(NAMELESS)
    assert play.grant("a", pod=NAMELESS)


def test_a_move_while_the_slot_is_being_taken_back_is_no_move_of_what_has_finished() -> None:
    play = Play()
    play.grant("a", pod=POD)
    play(m.PodChanged("a"), m.Examine)
    _, free = play.look("a", Verdict.FINISHED, *FREES)
    play(ask("a", pod=MOVED), m.Examine)
    play(m.PollEnded(("a",)))
    play.done(free)
    with pytest.raises(PodFinished):
        play(ask("a", pod=POD))
    assert play.grant("a", pod=MOVED)


def test_an_id_that_was_released_since_is_refused_as_released_and_no_longer() -> None:
    play, _ = finished()
    play(m.Leave("a"))
    with pytest.raises(ClaimReleased):
        play(ask("a", pod=POD))
    play.later(120)
    assert play.grant("a", pod=POD)


def test_a_slot_that_was_lost_otherwise_may_be_asked_for_at_once() -> None:
    play = Play()
    play.grant("a", pod=POD)
    play.later(60, m.Examine)
    _, free = play.look("a", Verdict.ABSENT, *FREES)
    play.done(free)
    assert play.grant("a", pod=POD)
