"""What is said of a dead holder, whole, and the borders of the times that judge it."""

from __future__ import annotations

from coordinator.core import messages as m
from coordinator.core.claims import Policy
from coordinator.core.model import Cause, Speaker, Verdict
from tests.core.play import POD, Play, ask, held_lease

FREES = (m.Reclaimed, m.Free)


def test_a_silent_claim_without_a_pod_is_reclaimed_with_all_that_is_known_of_it() -> None:
    play = Play()
    play.grant("a")
    lease = play.server.leases[0]
    told, _ = play.later(60, *FREES)
    why = "not renewed for 60 s"
    assert told == m.Reclaimed("a", "load-a", Cause.EXPIRED, why, lease, None)


def test_a_finished_pods_claim_is_reclaimed_with_all_that_is_known_of_it() -> None:
    play = Play()
    play.grant("a", pod=POD)
    lease = play.server.leases[0]
    told, _ = play.look("a", Verdict.FINISHED, *FREES)
    why = "its Pod has finished"
    assert told == m.Reclaimed("a", "load-a", Cause.FINISHED, why, lease, POD)


def test_an_unresponsive_claim_is_reclaimed_with_the_time_that_it_was_given() -> None:
    play = Play(policy=Policy(unresponsive_timeout=100.0))
    play.grant("a", pod=POD)
    play.later(60, m.Examine)
    told, _ = play.later(100, *FREES)
    assert (told.cause, told.reason) == (Cause.UNRESPONSIVE, "unresponsive for 100 s")


def test_a_look_names_the_claim_its_pod_and_the_time() -> None:
    play = Play()
    play.grant("a", pod=POD)
    assert play.later(60, m.Examine) == m.Examine("a", POD, play.now, silent=True)


def test_a_restarted_agent_has_a_third_of_a_short_ttl_to_find_its_claims_again() -> None:
    play = Play()
    play.grant("a", ttl=30)
    old = m.Ask("a", ask("a", ttl=30).terms, token=play.granted("a").token)
    play(m.Ask("a", old.terms, None, old.token, speaker=Speaker("agent", "boot-1")))
    play(m.Restarted(Speaker("agent", "boot-2")))
    assert play.table.roll.claims["a"].deserted == play.now + 10


def test_a_waiting_claims_grant_by_another_leader_counts_its_pod_as_seen() -> None:
    play = Play()
    play(ask("b", pod=POD, token=None), m.Make)
    play(play.hand(1, held_lease(1, "b", 77, pod=POD)))
    play(m.PollEnded(("b",)))
    play.later(60, m.Examine)
    told, _ = play.look("b", Verdict.ABSENT, *FREES, found=False)
    assert told.cause is Cause.POD_GONE


def test_the_pod_of_a_claim_that_left_during_its_grant_is_not_looked_at() -> None:
    play = Play()
    grant = play.done(play(ask("a", pod=POD), m.Make), m.Grant)
    play(m.Leave("a"))
    play.done(grant, m.Free)
