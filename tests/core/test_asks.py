"""All claims of one request at once: each is judged by itself, and what to do is decided once."""

from __future__ import annotations

from dataclasses import replace

from coordinator.core import messages as m
from coordinator.core.claims import Policy
from coordinator.core.model import Speaker
from coordinator.core.refusals import ClaimMismatch, QueueFull
from tests.core.play import POD, Play, ask

AGENT = Speaker("agent", "b1")


def test_one_that_may_not_be_costs_the_others_nothing() -> None:
    play = Play()
    play.grant("a")
    asks = [ask("a", ttl=99), ask("b"), ask("c")]
    [refused, *answers] = play.table.handle(m.Asks(asks), play.now)
    assert isinstance(refused, m.Refused)
    assert (refused.claim, type(refused.refusal)) == ("a", ClaimMismatch)
    assert not answers
    assert play.waits() == ["b", "c"]


def test_a_free_slot_goes_to_the_first_in_the_queue_wherever_it_stands_in_the_request() -> None:
    play = Play()
    play.grant("x")
    play(m.Leave("x"), m.Free)
    [freed] = [slot.op for slot in play.table.picture.slots.values()]
    assert freed is not None
    play.done(freed)
    grant = play(m.Asks([ask("low"), ask("high", priority=5)]), m.Grant)
    assert grant.claim == "high"


def test_the_queues_bound_counts_those_of_the_same_request() -> None:
    play = Play(limit=0, policy=Policy(max_queue=2))
    told = play.table.handle(m.Asks([ask(claim) for claim in "abcd"]), play.now)
    refused = [one for one in told if isinstance(one, m.Refused)]
    assert [one.claim for one in refused] == ["c", "d"]
    assert {type(one.refusal) for one in refused} == {QueueFull}


def test_a_renewal_that_tells_nothing_new_moves_the_ttl_and_commands_nothing() -> None:
    play = Play()
    token = play.grant("a").token
    play.confirm("a")
    again = ask("a", token=token)._replace(speaker=AGENT)
    for _ in range(4):
        play.later(50)
        assert not play(m.Asks([again]))
    assert play.granted("a").token == token
    assert play.table.roll.claims["a"].speaker == AGENT


def test_a_renewal_from_another_pod_is_not_taken_for_one_that_tells_nothing_new() -> None:
    play = Play()
    token = play.grant("a", pod=POD).token
    play.confirm("a", pod=POD)
    play(m.Asks([ask("a", token=token, pod=replace(POD, uid="other"))]), m.Examine, m.Refresh)


def test_a_renewal_that_calls_its_load_ending_has_its_pod_looked_at() -> None:
    play = Play()
    token = play.grant("a", pod=POD).token
    play.confirm("a", pod=POD)
    play(m.Asks([ask("a", token=token, pod=POD)._replace(ending=True)]), m.Examine)
    assert play.table.roll.claims["a"].ending
    play.table.handle(m.Asks([ask("a", token=token, pod=POD)]), play.now)
    assert not play.table.roll.claims["a"].ending


def test_a_renewal_whose_agent_was_given_up_for_its_restart_is_its_own_again() -> None:
    play = Play()
    token = play.grant("a", pod=POD).token
    spoken = ask("a", token=token, pod=POD)._replace(speaker=AGENT)
    play(m.Asks([spoken]))
    play(m.Restarted(Speaker("agent", "b2")))
    claim = play.table.roll.claims["a"]
    assert claim.deserted < float("inf")
    play(m.Asks([spoken._replace(speaker=Speaker("agent", "b2"))]))
    assert claim.deserted == float("inf")
