"""The judge of the chaos: it accepts what may be, and sees everything that may not."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.chaos.history import Granted, Version
from tests.chaos.judge import Case, tokens_that_are_wrong
from tests.chaos.reigns import UNTOLD, Mind
from tests.chaos.spans import Grant, Span, spans_of
from tests.e2e.journal import Entry

MOST = 3


def granted(slot: int, token: int, claim: str, at: float, seen: float | None = None) -> Granted:
    """A grant decided at `at`, which stood in etcd at `seen`."""
    version = Version(seen or at, token + 1, f"n-slot-{slot}", "n", claim, token, acquired=at)
    return Granted(version, token, is_hand_over=False)


def ran(one: Granted, began: float, ended: float) -> Span:
    version = one.version
    grant = Grant(version.name, version.token, version.claim)
    return Span(grant, "n", version.claim, began, ended)


def mind(*limits: tuple[float, int], led_from: tuple[float, ...] = (0.0,)) -> Mind:
    """A coordinator that saw these limits at these times."""
    return Mind(Path("log"), list(limits), list(led_from))


def verdict(runs: list[tuple[Granted, Span]], *minds: Mind) -> list[str]:
    return Case([span for _, span in runs], [one for one, _ in runs], minds, MOST).violations()


def on(slot: int, token: int, began: float, ended: float) -> tuple[Granted, Span]:
    """A load that began as soon as it was granted; it is named by its token."""
    one = granted(slot, token, f"c{token}", began)
    return one, ran(one, began, ended)


TWO = mind((0.0, 2))


def test_loads_that_follow_each_other_on_two_slots_are_fine() -> None:
    runs = [on(0, 1, 1, 5), on(1, 2, 2, 6), on(0, 7, 5, 8), on(1, 9, 6, 8)]
    assert not verdict(runs, TWO)


@pytest.mark.parametrize(
    ("runs", "said"),
    [
        ([on(0, 1, 1, 5), on(0, 7, 4, 8)], "two holders at once"),
        ([on(0, 7, 1, 2), on(0, 1, 3, 4)], "the fencing token did not grow"),
        ([on(0, 1, 1, 5), on(1, 2, 2, 6), on(2, 3, 3, 4)], "c3 got n-slot-2 at 3.000"),
        ([on(2, 3, 3, 4)], "the limit was 2 and there ran: nobody"),
        ([on(0, 1, 1, float("inf"))], "c1 began and never ended"),
    ],
)
def test_what_may_not_be_is_found(runs: list[tuple[Granted, Span]], said: str) -> None:
    found = verdict(runs, TWO)
    assert any(said in one for one in found), found


def test_a_load_without_a_lease_is_found() -> None:
    one, span = on(0, 1, 1, 2)
    stranger = ran(granted(0, 99, "stranger", 3), 3, 4)
    (found,) = Case([span, stranger], [one], [TWO], MOST).violations()
    assert found.startswith("stranger ran without a Lease")


def test_a_grant_while_nobody_led_is_found() -> None:
    (found,) = verdict([on(0, 1, 1, 2)], mind((0.0, 2), led_from=(1.5,)))
    assert found.startswith("a grant while nobody led")


def test_a_shrinking_limit_evicts_nobody_and_grants_nothing_until_enough_have_ended() -> None:
    shrinks = mind((0.0, 3), (10.0, 1))
    before = [on(0, 1, 1, 20), on(1, 2, 2, 30), on(2, 3, 3, 40)]
    assert not verdict([*before, on(0, 50, 41, 42)], shrinks)
    (found,) = verdict([*before, on(0, 50, 35, 36)], shrinks)
    assert "c50 got n-slot-0 at 35.000 although the limit was 1 and there ran: c3" in found


def test_the_limit_is_the_one_that_the_deciding_coordinator_had_seen() -> None:
    late, early = mind((0.0, 2)), mind((0.0, 2), (10.0, 1))
    runs = [on(0, 1, 1, 30), on(1, 2, 20, 30)]
    late.granted.add(("n-slot-1", 2))
    assert not verdict(runs, late, mind((0.0, 1), led_from=()))
    assert verdict(runs, early)


def test_until_a_config_was_read_the_limit_is_the_default() -> None:
    fresh = mind((10.0, 3))
    assert [fresh.limit(at) for at in (1.0, 11.0)] == [UNTOLD, 3]


def test_a_write_of_a_predecessor_that_came_after_the_takeover_is_not_the_successors_fault() -> (
    None
):
    """It was sent under the older, higher limit, and nobody can recall it."""
    old, new = mind((0.0, 2)), mind((0.0, 2), (9.0, 1), led_from=(10.0,))
    delayed = granted(1, 2, "delayed", at=8, seen=12)
    old.granted.add(("n-slot-1", 2))
    fresh = granted(0, 5, "fresh", at=11.9)
    new.granted.add(("n-slot-0", 5))
    runs = [(delayed, ran(delayed, 12, 20)), (fresh, ran(fresh, 12, 20))]
    assert not verdict(runs, old, new)


@pytest.mark.parametrize(
    ("grants", "said"),
    [
        ([Granted(Version(1, 9, "s", "n", "c", 5, 1), 8, False)], "not the replaced revision 8"),
        ([granted(0, 5, "a", 1), granted(0, 5, "b", 2)], "did not grow past 5"),
    ],
)
def test_tokens_in_the_leases_are_judged_too(grants: list[Granted], said: str) -> None:
    assert any(said in one for one in tokens_that_are_wrong(grants))


# --- from the loads' lines to spans -------------------------------------------------------------


def line(event: str, at: float, until: float | None = None, load: str = "x") -> Entry:
    slot = {"SLOT_LEASE": "n-slot-0", "SLOT_FENCING_TOKEN": "7", "SLOT_CLAIM": load}
    held = {} if until is None else {"SLOT_HELD_UNTIL": str(until)}
    return Entry(event, load, at, {"SLOT_NODE": "n", **slot, **held})


def span(*lines: Entry, stops: dict[str, float] | None = None) -> Span:
    (found,) = spans_of(lines, stops or {})
    return found


def test_a_load_ends_with_its_last_line() -> None:
    assert span(line("start", 1, 10), line("held", 4, 13), line("end", 5, 13)).until == 5
    assert span(line("start", 1), line("terminated", 6)).until == 6


def test_a_killed_load_of_the_library_counts_as_long_as_its_session_said() -> None:
    assert span(line("start", 1, 10), line("held", 4, 13)).until == 13


def test_a_killed_load_that_is_begun_again_under_its_grant_is_one_span() -> None:
    found = span(line("start", 1, 10), line("start", 5, 14), line("end", 6, 14))
    assert (found.began, found.until) == (1, 6)


def test_the_command_of_a_stopped_wrapper_counts_up_to_the_stop() -> None:
    found = span(line("start", 1), line("end", 30), stops={"x": 3.0})
    assert found.until == 3.0


def test_a_load_that_began_only_after_its_wrapper_was_stopped_counts_for_nothing() -> None:
    assert not span(line("start", 5), line("end", 30), stops={"x": 3.0}).counts
    assert not span(line("start", 5, 4), line("terminated", 6, 4)).counts
