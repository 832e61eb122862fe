"""Why a claim waits: each code, the data, and the sentence made from it."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from coordinator.core import messages as m
from coordinator.core.claims import Policy
from coordinator.core.estimate import Estimate, Unforeseen
from coordinator.core.explain import MOST_AHEAD, Ahead, Holding
from coordinator.core.model import Verdict
from coordinator.core.sentences import claim_sentence
from coordinator.core.surroundings import ConfigTrouble
from tests.core.explaining import RULE, around, full, why
from tests.core.play import POD, Play, ask, free_lease, held_lease
from tests.core.test_cap import Left

if TYPE_CHECKING:
    from collections.abc import Callable


def granting() -> Play:
    play = Play()
    play.done(play(ask("a"), m.Make), m.Grant)
    return play


def on_hold() -> Play:
    play = full("a")
    play(m.SetHold("disk swap"))
    return play


def starting() -> Play:
    play = Play(settled=False)
    play(ask("a"))
    return play


def no_slots() -> Play:
    play = full("a")
    play(m.SetLimit(0, "the node is gone"))
    return play


def write_refused() -> Play:
    play = Play()
    make = play(ask("a"), m.Make)
    play(m.Failed(make.op, "403 Forbidden"))
    return play


def over_limit() -> Play:
    play = full("a", limit=3)
    play(m.SetLimit(1))
    return play


def headroom() -> Play:
    play = Play(2, policy=Policy(headroom=1))
    play.grant("x1")
    play(ask("a"))
    return play


def node_cap() -> Play:
    play = Play(2)
    play.table.share = Left(0)
    play(ask("a"))
    return play


def preparing() -> Play:
    play = Play()
    play(ask("a"), m.Make)
    return play


def not_present() -> Play:
    play = full("a")
    play(m.PollEnded(("a",)))
    play.later(20)
    return play


def granted() -> Play:
    play = Play()
    play.grant("a")
    return play


def settling() -> Play:
    play = granted()
    play(m.Leave("a"), m.Free)
    return play


def lost() -> Play:
    play = granted()
    play.done(play(play.hand(0, None), m.ReadBack))
    return play


def released() -> Play:
    play = granted()
    play.done(play(m.Leave("a"), m.Free))
    return play


CASES: list[tuple[str, Callable[[], Play], str]] = [
    ("granted", granted, "load-a holds slot 0 of node1 (Lease node1-slot-0) for 5 min."),
    ("granting", granting, "load-a gets a slot of node1 just now: its slot is being written."),
    (
        "on-hold",
        on_hold,
        "load-a waits on node1, position 1 of 1: node1 is on hold: disk swap (kubectl"
        " annotate node node1 nodeslots.io/hold- lets it go), limit 1 from " + RULE + ".",
    ),
    (
        "starting",
        starting,
        (
            "load-a waits on node1, position 1 of 1: the coordinator has just started and"
            f" gathers who was waiting, limit 1 from {RULE}."
        ),
    ),
    (
        "no-slots",
        no_slots,
        (
            "load-a waits on node1, position 1 of 1: node1 has no slots: the node is gone;"
            " load-x1 keeps its slot past the limit"
            " until the end."
        ),
    ),
    (
        "write-refused",
        write_refused,
        (
            "load-a waits on node1, position 1 of 1: the API server did not take the last"
            f" write: 403 Forbidden (tried again in 1 s), limit 1 from {RULE}."
        ),
    ),
    (
        "over-limit",
        over_limit,
        (
            "load-a waits on node1, position 1 of 1: 3 slots are held, more than the limit of 1"
            f" (load-x1 for 5 min, load-x2 for 5 min, load-x3 for 5 min), limit 1 from {RULE}; no"
            " new grants until all of the 3 that are held end; load-x2, load-x3 keep their slots"
            " past the limit until the end; likely 10 min more (8 to 11 min, from 40 loads)."
        ),
    ),
    (
        "headroom",
        headroom,
        (
            "load-a waits on node1, position 1 of 1: 1 of 2 slots of node1 are held, and 1 is"
            f" kept for restores (load-x1 for 5 min), limit 2 from {RULE}; likely 8 min more (5 to"
            " 11 min, from 40 loads)."
        ),
    ),
    (
        "node-cap",
        node_cap,
        f"load-a waits on node1, position 1 of 1: the cap is used up, limit 2 from {RULE}.",
    ),
    (
        "preparing",
        preparing,
        (
            "load-a waits on node1, position 1 of 1: a slot of node1 is being prepared, limit 1"
            f" from {RULE}."
        ),
    ),
    (
        "not-present",
        not_present,
        (
            "load-a is in the queue of node1, but nobody asks for it any more (last heard of 20 s"
            " ago): it gets no slot unless its agent asks again, and is forgotten soon; look at its"
            " Pod and its agent."
        ),
    ),
    ("settling", settling, "load-a on node1: its slot is being given back."),
    (
        "lost",
        lost,
        "claim a on node1: Lease node1-slot-0: taken from it by another hand.",
    ),
    ("released", released, "claim a on node1: it was released a moment ago."),
    ("unknown", Play, "claim a on node1: node1 knows no such claim."),
    (
        "slots-held",
        lambda: full("a"),
        (
            "load-a waits on node1, position 1 of 1: 1 of 1 slots are held (load-x1 for 5"
            f" min), limit 1 from {RULE}; likely 8 min more (5 to 11 min, from 40 loads)."
        ),
    ),
]


@pytest.mark.parametrize(("code", "made", "sentence"), CASES, ids=[case[0] for case in CASES])
def test_each_state_of_a_claim_has_its_code_and_its_sentence(
    code: str, made: Callable[[], Play], sentence: str
) -> None:
    found = why(made(), "a")
    assert (found.code, claim_sentence(found)) == (code, sentence)


def test_a_wait_is_explained_with_who_holds_and_who_is_ahead() -> None:
    play = full("a", "b", "c", limit=2)
    play.later(100)
    found = why(play, "c")
    assert (found.position, found.ahead_count, found.waited) == (3, 2, 100)
    assert found.scene.holders == (
        Holding("x1", "load-x1", None, 0, "node1-slot-0", 0, "held", 300, 100),
        Holding("x2", "load-x2", None, 1, "node1-slot-1", 0, "held", 300, 100),
    )
    assert found.ahead == (
        Ahead("a", "load-a", None, 0, 1, 100, True),
        Ahead("b", "load-b", None, 0, 2, 100, True),
    )
    assert (found.scene.queued, found.scene.limit, found.scene.decided_by) == (3, 2, RULE)
    assert claim_sentence(found) == (
        "load-c waits on node1 for 100 s, position 3 of 3: 2 of 2 slots are held (load-x1 for"
        f" 5 min, load-x2 for 5 min), limit 2 from {RULE}; 2 ahead of it; likely 20 min more"
        " (17 to 23 min, from 40 loads)."
    )


def test_of_a_long_queue_the_first_are_named_and_the_rest_counted() -> None:
    names = [f"q{number:03}" for number in range(100)]
    found = why(full(*names), "q099")
    assert [one.claim for one in found.ahead] == names[:MOST_AHEAD]
    assert found.ahead_count == 99
    assert "99 ahead of it" in claim_sentence(found)


def test_of_many_holders_the_sentence_names_three() -> None:
    found = why(full("a", limit=5), "a")
    assert (
        "5 of 5 slots are held (load-x1 for 5 min, load-x2 for 5 min, load-x3 for 5 min and 2"
        in (claim_sentence(found))
    )
    assert len(found.scene.holders) == 5


def test_a_silent_holder_is_told_of_with_what_to_do() -> None:
    play = Play()
    play.grant("x", pod=POD)
    play.confirm("x", pod=POD)
    play.later(50)
    play(ask("a"))
    play.later(10, m.Examine)
    play.look("x", Verdict.UNREACHABLE)
    found = why(play, "a")
    assert [one.state for one in found.scene.holders] == ["unresponsive"]
    assert found.scene.unresponsive == found.scene.holders
    assert (
        "nobody has heard of load-x for 60 s, and its Pod velero/pod-a cannot be shown to have"
        " ended: look at it; once it is over, deleting Lease node1-slot-0 frees the slot"
    ) in claim_sentence(found)
    assert isinstance(found.forecast, Unforeseen)
    assert "its Pod velero/pod-a cannot be shown" in claim_sentence(why(play, "x"))


def test_a_blocked_slot_is_told_of_with_its_lease() -> None:
    play = Play()
    play(play.hand(0, free_lease(0, foreign="it is of another maker")))
    play(ask("a"))
    found = why(play, "a")
    assert (found.code, found.scene.holders) == ("slots-held", ())
    assert "Lease node1-slot-0: it is of another maker: look at it" in claim_sentence(found)


def test_a_granted_claim_past_the_limit_is_told_that_it_keeps_its_slot() -> None:
    play = full(limit=2)
    play(m.SetLimit(1))
    assert claim_sentence(why(play, "x2")) == (
        "load-x2 holds slot 1 of node1 (Lease node1-slot-1) for 5 min, over the limit of 1: it"
        " keeps the slot until it ends."
    )


def test_a_refused_config_map_is_told_of_with_since_when() -> None:
    trouble = ConfigTrouble("2026-01-01T00:00:00Z", "ConfigMap limits is refused: no data")
    for claim in ("a", "x1"):
        found = why(full("a"), claim, around(config=trouble))
        assert found.scene.config == trouble
        assert claim_sentence(found).endswith(
            "; refused since 2026-01-01T00:00:00Z: ConfigMap limits is refused: no data."
        ) or "refused since 2026-01-01T00:00:00Z: ConfigMap limits is refused: no data; likely" in (
            claim_sentence(found)
        )


def test_a_holder_of_unknown_age_is_named_without_it() -> None:
    found = why(full("a"), "a", around(age=None))
    assert "1 of 1 slots are held (load-x1), limit" in claim_sentence(found)


def test_a_claim_of_an_earlier_leader_is_explained_like_any() -> None:
    play = Play()
    play.server.commit(0, held_lease(0, "old", 41), -1)
    play.now += 1
    play.relist()
    play(ask("a"))
    assert [one.claim for one in why(play, "a").scene.holders] == ["old"]


def test_an_estimate_tells_how_it_was_made_and_from_what() -> None:
    found = why(full("a"), "a").forecast
    assert isinstance(found, Estimate)
    assert found.low <= found.seconds <= found.high
    assert found.samples == 40
    assert "64 times" in found.method
    assert "last 40 loads of this node" in found.method


@pytest.mark.parametrize("code", ["granted", "settling", "lost", "released", "unknown"])
def test_who_does_not_wait_has_no_estimate(code: str) -> None:
    made = {case[0]: case[1] for case in CASES}[code]
    assert why(made(), "a").forecast is None
