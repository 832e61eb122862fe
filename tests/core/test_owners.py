"""Whose claim it is: only its owner asks for it or ends it, and a refusal changes nothing."""

from __future__ import annotations

from copy import deepcopy
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import pytest

from coordinator.core import messages as m
from coordinator.core.holders import restarted
from coordinator.core.model import Speaker
from coordinator.core.refusals import ClaimReleased, OthersClaim
from coordinator.core.survey import view_of
from coordinator.core.views import Granted, Lost, Queued, Released
from tests.core.play import Play, ask, held_lease

if TYPE_CHECKING:
    from collections.abc import Callable

    from coordinator.core.model import Lease

MINE, THEIRS = "velero/node-agent", "scans/scanner"


def own(claim: str, owner: str = MINE, **kw: Any) -> m.Ask:
    event = ask(claim, **kw)
    return event._replace(terms=replace(event.terms, owner=owner))


def owned(lease: Lease, owner: str) -> Lease:
    assert lease.holder is not None
    terms = replace(lease.holder.terms, owner=owner)
    return replace(lease, holder=replace(lease.holder, terms=terms))


def hold(play: Play, owner: str = MINE) -> Granted:
    """The claim "a" of that owner holds the only slot."""
    play.done(play.done(play(own("a", owner), m.Make), m.Grant))
    play(m.PollEnded(("a",)))
    return play.granted("a")


def held() -> Play:
    play = Play()
    hold(play)
    return play


def queued() -> Play:
    play = Play()
    play.grant("x")
    play(own("a"))
    return play


def being_granted() -> Play:
    play = Play()
    play.done(play(own("a"), m.Make), m.Grant)
    return play


def being_released() -> Play:
    play = held()
    play(m.Leave("a", MINE), m.Free)
    return play


def released() -> Play:
    play = held()
    play.done(play(m.Leave("a", MINE), m.Free))
    return play


def lost() -> Play:
    play = held()
    read = play(play.hand(0, None), m.ReadBack)
    play.done(read)
    return play


def adopted() -> Play:
    """Another leader granted it."""
    play = Play()
    play.hand(0, owned(held_lease(0, "a", 41), MINE))
    play.relist()
    return play


KNOWN = [held, queued, being_granted, being_released, released, lost, adopted]
"""Every way in which a claim is known as its owner's."""


@pytest.mark.parametrize("known", KNOWN, ids=lambda known: str(known.__name__))
@pytest.mark.parametrize(
    "event",
    [
        own("a", THEIRS),
        own("a", THEIRS, token=101),
        own("a", THEIRS, token=999),
        own("a", THEIRS, priority=9),
        m.Leave("a", THEIRS),
    ],
    ids=["asks", "with its token", "with a false token", "with other terms", "ends it"],
)
def test_a_claim_is_refused_to_another_owner_and_nothing_changes(
    known: Callable[[], Play], event: m.Event
) -> None:
    play = known()
    before = deepcopy(play.table)
    with pytest.raises(OthersClaim) as refused:
        play(event)
    assert refused.value.owner == MINE
    assert state(play.table) == state(before)


def state(table: Any) -> str:
    """Everything that a table remembers, in words."""
    picture, roll = table.picture, table.roll
    queue = [claim.id for claim in roll.queue]
    return f"{picture.slots} {picture.named} {picture.granting} {roll.claims} {roll.ended} {queue}"


@pytest.mark.parametrize("known", KNOWN, ids=lambda known: str(known.__name__))
def test_whoever_may_end_anybodys_claim_ends_it(known: Callable[[], Play]) -> None:
    play = known()
    for command in play.table.handle(m.Leave("a"), play.now):
        assert isinstance(command, m.Free | m.Answer)
    for _ in range(3):
        for slot in play.table.picture.slots.values():
            if slot.op is not None:
                play.table.handle(play.server.apply(slot.op, 1), play.now)
    assert play.view("a") == Released("a")


@pytest.mark.parametrize("owner", ["", MINE])
def test_its_owner_and_a_caller_without_one_are_answered(owner: str) -> None:
    play = held()
    token = play.granted("a").token
    play(own("a", owner, token=token))
    assert isinstance(view_of(play.table, "a", play.now, token, owner), Granted)


def test_another_owner_is_told_that_it_lost_whatever_it_waited_for_and_not_to_whom() -> None:
    play = held()
    view = view_of(play.table, "a", play.now, None, THEIRS)
    assert isinstance(view, Lost)
    assert MINE not in view.detail


def test_the_owner_is_written_with_the_grant_and_handed_over_with_the_slot() -> None:
    play = held()
    play(own("b", THEIRS))
    over = play(m.Leave("a", MINE), m.HandOver)
    assert over.base.holder.terms.owner == MINE
    assert over.terms.owner == THEIRS
    play.done(over)
    with pytest.raises(OthersClaim):
        play(m.Leave("b", MINE))


def test_a_claim_without_an_owner_becomes_its_askers_and_its_lease_says_so() -> None:
    play = Play()
    play.hand(0, held_lease(0, "a", 41))
    play.relist()
    refresh = play(own("a", token=41), m.Refresh)
    assert refresh.terms.owner == MINE
    play.done(refresh)
    assert play.server.leases[0].holder.terms.owner == MINE  # type: ignore[union-attr]
    with pytest.raises(OthersClaim):
        play(own("a", THEIRS, token=41))
    play(ask("a", token=41))


def test_a_caller_without_an_owner_does_not_make_an_owned_claim_ownerless() -> None:
    play = held()
    play(ask("a"))
    with pytest.raises(OthersClaim):
        play(own("a", THEIRS))


def test_a_claim_asked_for_by_nobody_in_particular_takes_the_owner_of_its_lease() -> None:
    play = Play(limit=0)
    play(ask("a"))
    play(play.hand(0, owned(held_lease(0, "a", 41), MINE)))
    play.granted("a")
    with pytest.raises(OthersClaim):
        play(own("a", THEIRS))


def test_a_false_token_makes_nobody_the_owner() -> None:
    play = Play()
    play.hand(0, held_lease(0, "a", 41))
    play.relist()
    play(own("a", THEIRS, token=7), m.Relist)
    play(own("a", MINE, token=41), m.Refresh)


def test_another_owner_written_into_the_lease_by_hand_counts() -> None:
    play = held()
    play(play.hand(0, owned(play.server.leases[0], THEIRS)))
    with pytest.raises(OthersClaim):
        play(own("a"))
    play(own("a", THEIRS))


def test_whoever_releases_an_id_that_nobody_knows_bars_it_for_itself_alone() -> None:
    """The queue went with an earlier leader: its owner may only not have asked again yet."""
    play = Play()
    play(m.Leave("a", THEIRS))
    assert view_of(play.table, "a", play.now, None, THEIRS) == Released("a")
    with pytest.raises(ClaimReleased):
        play(own("a", THEIRS))
    play.done(play.done(play(own("a", MINE), m.Make), m.Grant))
    with pytest.raises(OthersClaim):
        play(own("a", THEIRS))


def test_a_release_of_an_unknown_id_frees_no_lease_of_another_owner_that_shows_up() -> None:
    play = Play()
    play(m.Leave("a", THEIRS))
    play(play.hand(0, owned(held_lease(0, "a", 41), MINE)))
    assert play.granted("a").token == 41
    play(m.PollEnded(("a",)))


def test_a_lease_of_the_owner_who_released_it_is_cleared_when_it_shows_up() -> None:
    play = Play()
    play(m.Leave("a", MINE))
    play(play.hand(0, owned(held_lease(0, "a", 41), MINE)), m.Free)


def test_who_waits_under_anothers_id_is_told_lost_once_that_ones_lease_shows_up() -> None:
    play = Play(limit=0)
    play(own("a", THEIRS))
    assert isinstance(play.view("a"), Queued)
    play(play.hand(0, owned(held_lease(0, "a", 41), MINE)))
    assert play.answers == ["a"]
    assert isinstance(view_of(play.table, "a", play.now, None, THEIRS), Lost)
    assert isinstance(view_of(play.table, "a", play.now, None, MINE), Granted)


def test_a_release_that_is_repeated_stays_its_owners() -> None:
    play = released()
    play(m.Leave("a"))
    with pytest.raises(OthersClaim):
        play(m.Leave("a", THEIRS))
    play.now += 119.0
    with pytest.raises(ClaimReleased):
        play(own("a"))


@pytest.mark.parametrize(("owner", "left"), [(MINE, True), (THEIRS, False)])
def test_an_agent_of_another_owner_under_the_same_name_says_nothing_of_mine(
    owner: str, left: bool
) -> None:
    play = held()
    play(own("a")._replace(speaker=Speaker("agent", "b1", MINE)))
    restarted(play.table, m.Restarted(Speaker("agent", "b2", owner)), play.now)
    assert (play.table.roll.claims["a"].deserted < float("inf")) is left
