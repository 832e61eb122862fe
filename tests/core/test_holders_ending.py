"""An agent that says "ending": its claim's Pod is looked at, often and not for long; no more."""

from __future__ import annotations

from typing import Any

import pytest

from coordinator.core import messages as m
from coordinator.core.claims import Policy
from coordinator.core.holders import HURRY, SPACING
from coordinator.core.model import Cause, PodRef, Verdict
from tests.core.play import POD, Play, ask

V = Verdict
FREES = (m.Reclaimed, m.Free)
MOVED = PodRef("velero", "pod-b", "uid-b")


def says(play: Play, claim: str, *kinds: type, ending: bool = True, **kw: Any) -> Any:
    """The holder's agent renews, with the token of its grant."""
    known = ask(claim, token=play.granted(claim).token, **kw)
    told = play(m.Ask(claim, known.terms, None, known.token, ending=ending), *kinds)
    play(m.PollEnded((claim,)))
    return told


def held(**kw: Any) -> Play:
    """A claim `a` that holds, and was looked at a while ago."""
    play = Play(**kw)
    play.grant("a", pod=POD)
    play.confirm("a", pod=POD)
    play.later(5)
    return play


def looks(play: Play, seconds: float) -> list[float]:
    """When the Pod of `a` is looked at from now on, as long as each look shows that it runs."""
    found, end = [], play.now + seconds
    told = says(play, "a", m.Examine, pod=POD)
    while told and told.at < end:
        found.append(told.at)
        play.now = told.at
        (told,) = play.table.handle(m.Evidence("a", V.UNJUDGED, POD, True), play.now) or (None,)
    return found


def test_the_pod_is_looked_at_at_once_and_each_second_for_a_while_and_then_no_more() -> None:
    play = held()
    begun = play.now
    seen = looks(play, 60)
    assert seen == [begun + n * SPACING for n in range(int(HURRY / SPACING) + 1)]
    play.later(30)


def test_the_word_alone_frees_nothing() -> None:
    play = held(policy=Policy(unresponsive_timeout=1000.0))
    says(play, "a", m.Examine, pod=POD)
    play.look("a", V.UNJUDGED, m.Examine)
    play.later(59)
    assert play.granted("a")
    play.later(1)
    play.look("a", V.UNJUDGED)
    play.later(0, m.Examine)
    play.look("a", V.RUNNING)
    assert play.table.roll.claims["a"].unresponsive


def test_it_renews_like_any_request() -> None:
    play = held()
    play.later(54)
    says(play, "a", m.Examine, pod=POD)
    play.look("a", V.UNJUDGED, m.Examine)
    play.later(30)
    assert play.granted("a")


def test_a_look_that_was_under_way_is_not_trusted() -> None:
    play = held()
    play(m.PodChanged("a"), m.Examine)
    says(play, "a", pod=POD)
    play.look("a", V.UNJUDGED, m.Examine)
    play.look("a", V.FINISHED, *FREES)


def test_the_kubelets_late_word_is_found_by_one_of_the_looks() -> None:
    play = held()
    says(play, "a", m.Examine, pod=POD)
    play.look("a", V.UNJUDGED, m.Examine)
    play.now += 1
    told, _ = play.look("a", V.FINISHED, *FREES)
    assert (told.cause, told.expected) == (Cause.FINISHED, True)


def test_an_agent_that_speaks_again_without_it_is_back() -> None:
    play = held()
    says(play, "a", m.Examine, pod=POD)
    says(play, "a", ending=False, pod=POD)
    play.look("a", V.UNJUDGED)
    play(m.PodChanged("a"), m.Examine)
    told, _ = play.look("a", V.FINISHED, *FREES)
    assert not told.expected


@pytest.mark.parametrize(
    ("verdict", "found", "expected"),
    [(V.ABSENT, True, True), (V.ABSENT, False, False), (V.RUNNING, True, False)],
)
def test_only_a_pod_that_is_over_or_gone_is_what_the_agent_told_of(
    verdict: V, found: bool, expected: bool
) -> None:
    play = Play()
    play.grant("a", pod=POD, found=found)
    says(play, "a", m.Examine, pod=POD)
    play.table.roll.claims["a"].deserted = play.now
    play.later(60)
    play.look("a", V.UNJUDGED, found=found)
    play.later(0, m.Examine)
    told, _ = play.look("a", verdict, *FREES, found=found and verdict is not V.ABSENT)
    assert told.expected is expected


def test_without_a_pod_and_in_the_queue_it_is_a_request_like_any_other() -> None:
    play = Play()
    play.grant("a")
    says(play, "a")
    waits = ask("b", pod=POD)
    play(m.Ask("b", waits.terms, ending=True))
    play(m.PollEnded(("b",)))
    assert play.waits() == ["b"]
    play.later(15)
    assert play.waits() == ["b"]


def test_of_a_pod_that_is_another_one_only_that_is_looked_at() -> None:
    play = held()
    examine, _ = says(play, "a", m.Examine, m.Refresh, pod=MOVED)
    assert examine.pod == MOVED
