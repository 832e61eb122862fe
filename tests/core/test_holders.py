"""Dead holders, by evidence: the table in section 7 of the design, line by line."""

from __future__ import annotations

from typing import Any

import pytest

from coordinator.core import messages as m
from coordinator.core.claims import Policy
from coordinator.core.model import Cause, PodRef, Speaker, Verdict
from coordinator.core.views import Lost, Settling
from tests.core.play import OPERATOR, POD, Play, ask, held_lease

MOVED = PodRef("velero", "pod-b", "uid-b")
V = Verdict
FREES = (m.Reclaimed, m.Free)
OLD, NEW = Speaker("agent", "boot-1"), Speaker("agent", "boot-2")


def spoken(play: Play, claim: str, by: Speaker, **kw: Any) -> None:
    """An agent renews the claim, with the token of its grant."""
    known = ask(claim, token=play.granted(claim).token, **kw)
    play(m.Ask(claim, known.terms, None, known.token, speaker=by))
    play(m.PollEnded((claim,)))


@pytest.mark.parametrize("found", [False, True])
@pytest.mark.parametrize("confirmed", [False, True])
@pytest.mark.parametrize("silent", [False, True])
@pytest.mark.parametrize("deserted", [False, True])
@pytest.mark.parametrize("verdict", V)
def test_the_evidence_table(
    verdict: V, deserted: bool, silent: bool, confirmed: bool, found: bool
) -> None:
    play = Play()
    play.grant("a", pod=POD, found=found)
    if confirmed:
        play.confirm("a", pod=POD)
    if deserted:
        play.table.roll.claims["a"].deserted = play.now + 50
    if silent:
        play.later(60, m.Examine)
    no_pod = verdict is not V.UNJUDGED and (not found or verdict is V.ABSENT)
    left = verdict is V.RUNNING and (deserted or not confirmed)
    frees = verdict is V.FINISHED or (silent and (no_pod or left))
    there = found and verdict is not V.ABSENT
    play.look("a", verdict, *(FREES if frees else ()), found=there)
    judged = silent and not frees and verdict is not V.UNJUDGED
    assert play.table.roll.claims["a"].unresponsive == judged


@pytest.mark.parametrize(
    ("verdict", "found", "confirmed", "cause", "told"),
    [
        (V.FINISHED, True, True, Cause.FINISHED, "its Pod has finished"),
        (V.ABSENT, True, True, Cause.POD_GONE, "not renewed for 60 s, and its Pod is gone"),
        (V.ABSENT, False, True, Cause.EXPIRED, "its Pod was never seen"),
        (V.UNREACHABLE, False, True, Cause.EXPIRED, "its Pod was never seen"),
        (V.RUNNING, True, False, Cause.UNCONFIRMED, "its grant was never confirmed"),
    ],
)
def test_a_reclaim_says_why_in_words_and_to_the_agent_too(
    verdict: V, found: bool, confirmed: bool, cause: Cause, told: str
) -> None:
    play = Play()
    play.grant("a", pod=POD, found=found)
    if confirmed:
        play.confirm("a", pod=POD)
    play.later(60, m.Examine)
    reclaimed, free = play.look("a", verdict, *FREES, found=found and verdict is not V.ABSENT)
    assert (reclaimed.cause, reclaimed.pod) == (cause, POD)
    assert (reclaimed.lease.name, reclaimed.load) == (free.base.name, "load-a")
    assert told in reclaimed.reason
    play.done(free)
    view = play.view("a")
    assert isinstance(view, Lost)
    assert told in view.detail


def test_a_finished_pod_frees_its_slot_though_the_agent_renews() -> None:
    play = Play()
    play.grant("a", pod=POD)
    play.confirm("a", pod=POD)
    play.later(5)
    assert not play(m.PodChanged("a"), m.Examine).silent
    play.look("a", V.FINISHED, *FREES)
    assert isinstance(play.view("a"), Settling)


def test_a_claims_pod_is_looked_at_right_after_its_grant_and_when_it_is_another() -> None:
    play = Play()
    grant = play.done(play(ask("a", pod=POD), m.Make), m.Grant)
    first = play.done(grant, m.Examine)
    assert (first.pod, first.at, first.silent) == (POD, play.now, False)
    play.look("a", V.UNJUDGED)
    play.later(5)
    second, refresh = play(ask("a", pod=MOVED), m.Examine, m.Refresh)
    assert (second.pod, refresh.terms.pod) == (MOVED, MOVED)
    assert not play.table.roll.claims["a"].pod_found
    play(ask("a", pod=MOVED))
    play.look("a", V.UNJUDGED)
    assert play.table.roll.claims["a"].pod_found


def test_a_holder_of_another_leader_keeps_what_that_one_may_have_seen() -> None:
    play = Play()
    play.server.commit(0, held_lease(0, "a", 51, pod=POD), OPERATOR)
    play.now += 1
    play.relist()
    play.later(60, m.Examine)
    play.look("a", V.UNREACHABLE, found=False)
    assert play.table.roll.claims["a"].unresponsive


def test_a_waiting_claim_that_another_leader_granted_keeps_what_that_one_may_have_seen() -> None:
    play = Play(limit=0)
    play(ask("a", pod=POD))
    play(play.hand(0, held_lease(0, "a", 51, pod=POD)))
    play.later(60, m.Examine)
    play.look("a", V.UNREACHABLE, found=False)
    assert play.table.roll.claims["a"].unresponsive


def test_evidence_about_another_pod_than_the_claims_says_nothing() -> None:
    play = Play()
    play.grant("a", pod=POD)
    play.later(60, m.Examine)
    refresh = play(ask("a", pod=MOVED), m.Refresh)
    examine = play(m.Evidence("a", V.FINISHED, POD, found=True), m.Examine)
    assert examine.pod == MOVED
    play.done(refresh)
    assert play.granted("a")


def test_a_look_that_did_not_ask_for_the_node_is_repeated_once_the_agent_is_silent() -> None:
    play = Play()
    play.grant("a", pod=POD)
    play.confirm("a", pod=POD)
    play.later(59)
    assert not play(m.PodChanged("a"), m.Examine).silent
    play.now += 1
    play.look("a", V.UNJUDGED)
    assert not play.table.roll.claims["a"].unresponsive
    assert play.later(0.5, m.Examine).silent


def test_events_of_a_pod_cost_one_look_at_a_time_and_one_a_second() -> None:
    play = Play()
    play.grant("a", pod=POD)
    play.later(5)
    first = play(m.PodChanged("a"), m.Examine)
    for _ in range(9):
        play(m.PodChanged("a"))
    play.now += 0.25
    second = play.look("a", V.UNJUDGED, m.Examine)
    assert (first.at, second.at) == (play.now - 0.25, play.now + 0.75)
    play(m.PodChanged("a"))
    play.now += 2
    third = play.look("a", V.UNJUDGED, m.Examine)
    assert third.at == play.now
    play.look("a", V.UNJUDGED)


def test_events_of_a_pod_whose_claim_waits_leaves_or_is_unknown_cost_nothing() -> None:
    play = Play()
    play.grant("a", pod=POD)
    play(ask("b", pod=POD))
    play(m.PodChanged("b"))
    play(m.PodChanged("nobody"))
    play.later(5)
    play(m.Leave("a"), m.HandOver)
    play(m.PodChanged("a"))


def test_a_claim_that_left_is_looked_at_no_more_and_nothing_is_held_against_it() -> None:
    play = Play()
    grant = play.done(play(ask("early", pod=POD), m.Make), m.Grant)
    play(m.Leave("early"))
    play.done(play.done(grant, m.Free))
    play.grant("a", pod=POD)
    play.later(5)
    play(m.PodChanged("a"), m.Examine)
    play(m.PodChanged("a"))
    play(m.Leave("a"), m.Free)
    play.look("a", V.FINISHED)
    assert play.table.roll.claims["a"].leaving == "released"


def test_time_that_passes_during_a_look_is_no_reason_for_another() -> None:
    play = Play()
    play.grant("a", pod=POD)
    play.confirm("a", pod=POD)
    play.later(60, m.Examine)
    play.later(5)
    play.look("a", V.RUNNING)
    play.later(29)


def test_a_confirmed_silent_holder_whose_pod_runs_is_kept_as_unresponsive() -> None:
    play = Play(policy=Policy(unresponsive_timeout=300))
    play.grant("a", pod=POD)
    play.confirm("a", pod=POD)
    play.later(60, m.Examine)
    play.look("a", V.RUNNING)
    assert play.table.roll.claims["a"].unresponsive
    play.later(29)
    play.later(1, m.Examine)
    play.later(269.5)
    reclaimed, _ = play.later(0.5, *FREES)
    assert reclaimed.cause is Cause.UNRESPONSIVE


def test_a_renewal_ends_being_unresponsive() -> None:
    play = Play()
    play.grant("a", pod=POD)
    play.confirm("a", pod=POD)
    play.later(60, m.Examine)
    play.look("a", V.UNREACHABLE)
    play.confirm("a", pod=POD)
    assert not play.table.roll.claims["a"].unresponsive
    play.later(59)


def test_a_claim_that_comes_back_while_its_pod_is_looked_at_is_looked_at_again_later() -> None:
    play = Play(policy=Policy(unresponsive_timeout=100))
    token = play.grant("a", pod=POD).token
    play.confirm("a", pod=POD)
    play.later(60, m.Examine)
    free = play.later(100, *FREES)[1]
    play.look("a", V.UNREACHABLE)
    play(ask("a", pod=POD, token=token))
    play(m.Failed(free.op, "429"))
    play.later(2)
    assert play.granted("a")
    play.later(60, m.Examine)


# --- agents that are restarted ------------------------------------------------------------------


def test_what_a_restarted_agent_names_no_more_is_free_at_its_ttl_though_its_pod_runs() -> None:
    play = Play()
    play.grant("a", pod=POD)
    spoken(play, "a", OLD, pod=POD)
    play.later(20)
    play(m.Restarted(NEW))
    play.later(39)
    play.later(1, m.Examine)
    reclaimed, _ = play.look("a", V.RUNNING, *FREES)
    assert reclaimed.cause is Cause.DESERTED


@pytest.mark.parametrize("by", [NEW, None, Speaker("another", "boot-1")])
def test_a_claim_that_anybody_asks_for_again_is_not_left_behind(by: Speaker | None) -> None:
    play = Play()
    play.grant("a", pod=POD)
    spoken(play, "a", OLD, pod=POD)
    play(m.Restarted(NEW))
    play(m.Ask("a", ask("a", pod=POD).terms, speaker=by))
    play(m.PollEnded(("a",)))
    play.later(60, m.Examine)
    play.look("a", V.RUNNING)
    assert play.table.roll.claims["a"].unresponsive


@pytest.mark.parametrize("by", [NEW, Speaker("another", "boot-1")])
def test_a_restart_says_nothing_of_claims_for_which_another_spoke_last(by: Speaker) -> None:
    play = Play()
    play.grant("a", pod=POD)
    spoken(play, "a", OLD, pod=POD)
    spoken(play, "a", by, pod=POD)
    play(m.Restarted(NEW))
    play.later(60, m.Examine)
    play.look("a", V.RUNNING)
    assert play.table.roll.claims["a"].unresponsive


@pytest.mark.parametrize(("ttl", "moment"), [(60, 15.0), (12, 4.0)])
def test_loads_of_an_agent_that_was_away_for_long_have_a_moment_to_find_the_new_one(
    ttl: int, moment: float
) -> None:
    play = Play()
    play.grant("a", pod=POD, ttl=ttl)
    spoken(play, "a", OLD, pod=POD, ttl=ttl)
    play.later(ttl, m.Examine)
    play.look("a", V.RUNNING)
    play.later(10)
    play(m.Restarted(NEW))
    play.later(moment - 0.5)
    play(m.Restarted(Speaker("agent", "boot-3")))
    play.later(0.5, m.Examine)
    play.look("a", V.RUNNING, *FREES)


def test_a_restarted_agents_claim_on_a_node_that_does_not_answer_is_kept() -> None:
    play = Play()
    play.grant("a", pod=POD)
    spoken(play, "a", OLD, pod=POD)
    play(m.Restarted(NEW))
    play.later(60, m.Examine)
    play.look("a", V.UNREACHABLE)
    assert play.table.roll.claims["a"].unresponsive
