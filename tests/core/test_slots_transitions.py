"""The whole table of what can happen to a slot: each operation under way, each event."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from coordinator.core import messages as m
from coordinator.core import slots
from coordinator.core.model import Lease, Speaker, Verdict
from coordinator.core.names import lease_name
from coordinator.core.refusals import ClaimMismatch, ClaimReleased, Refusal
from tests.core.modelserver import NODE
from tests.core.play import POD, Play, ask, held_lease

if TYPE_CHECKING:
    from coordinator.core.picture import Slot

WRITES: tuple[type, ...] = (m.Make, m.Grant, m.HandOver, m.Free, m.Remove, m.Refresh)
OPERATIONS = (*WRITES, m.ReadBack)
OUTCOMES: tuple[type, ...] = (
    m.Written,
    m.Conflict,
    m.Unknown,
    m.Failed,
    m.Withdrawn,
    m.Read,
)


def under_way(kind: type) -> tuple[Play, Any]:
    """A table in which an operation of this kind is under way, and that operation."""
    play = Play()
    if kind is m.Make:
        return play, play(ask("b"), m.Make)
    if kind is m.Grant:
        return play, play.done(play(ask("b"), m.Make), m.Grant)
    play.grant("a")
    if kind is m.Refresh:
        return play, play(m.Courtesy("a"), m.Refresh)
    if kind is m.ReadBack:
        return play, play(play.hand(0, None), m.ReadBack)
    if kind is m.HandOver:
        play(ask("b"))
        return play, play(m.Leave("a"), m.HandOver)
    free = play(m.Leave("a"), m.Free)
    if kind is m.Free:
        return play, free
    play.done(free)
    return play, play(m.SetLimit(0), m.Remove)


def outcome(kind: type, op: int) -> Any:
    lease = Lease(lease_name(NODE, 0), "uid-1", 900)
    made = {
        m.Written: m.Written(op, lease),
        m.Conflict: m.Conflict(op),
        m.Unknown: m.Unknown(op),
        m.Failed: m.Failed(op, "429"),
        m.Withdrawn: m.Withdrawn(op),
        m.Read: m.Read(op, lease),
    }
    return made[kind]


def state(thing: object) -> object:
    """Everything in it, as plain data that stays as it is."""
    if isinstance(thing, dict):
        return {key: state(value) for key, value in thing.items()}
    if isinstance(thing, list | tuple | set):
        return [state(item) for item in thing]
    fields = dict(getattr(thing, "__dict__", {}))
    for cls in type(thing).__mro__:
        names = getattr(cls, "__slots__", ())
        fields |= {name: getattr(thing, name) for name in names if hasattr(thing, name)}
    fields.pop("_out", None)
    if not fields or isinstance(thing, type):
        return thing
    return (type(thing), state(fields))


LEGAL = [(op, event) for op in OPERATIONS for event in OUTCOMES if (op, event) in slots._STEPS]
ILLEGAL = [
    (op, event) for op in OPERATIONS for event in OUTCOMES if (op, event) not in slots._STEPS
]


def test_the_table_has_a_step_for_each_outcome_that_an_operation_can_have() -> None:
    grants = (m.Grant, m.HandOver)
    never_withdrawn = [op for op in OPERATIONS if op not in grants]
    assert set(ILLEGAL) == {(write, m.Read) for write in WRITES} | {
        (m.ReadBack, m.Written),
        (m.ReadBack, m.Conflict),
        *((op, m.Withdrawn) for op in never_withdrawn),
    }


@pytest.mark.parametrize(("kind", "event"), ILLEGAL)
def test_an_illegal_outcome_raises_and_changes_nothing(kind: type, event: type) -> None:
    play, op = under_way(kind)
    before = state(play.table)
    with pytest.raises(m.IllegalTransition, match=f"node1 while {kind.__name__}"):
        play(outcome(event, op.op))
    assert state(play.table) == before


@pytest.mark.parametrize("kind", OPERATIONS)
@pytest.mark.parametrize("event", OUTCOMES)
def test_an_outcome_of_nothing_under_way_raises_and_changes_nothing(
    kind: type, event: type
) -> None:
    play, op = under_way(kind)
    before = state(play.table)
    for number in (op.op + 1, op.op - 1, 0):
        with pytest.raises(m.IllegalTransition, match="no such operation"):
            play(outcome(event, number))
    assert state(play.table) == before


EXPECTED: dict[tuple[type, type], str] = {
    **{(write, m.Written): "settled" for write in WRITES},
    **{(write, m.Conflict): "read back" for write in WRITES},
    **{(write, m.Unknown): "repeated" for write in WRITES},
    **{(write, m.Failed): "undone" for write in WRITES},
    (m.Grant, m.Withdrawn): "undone",
    (m.HandOver, m.Withdrawn): "undone",
    (m.Refresh, m.Unknown): "read back",
    (m.ReadBack, m.Read): "settled",
    (m.ReadBack, m.Unknown): "repeated",
    (m.ReadBack, m.Failed): "repeated",
}


def what_happened(slot: Slot, op: Any, commands: list[m.Command]) -> str:
    if slot.op is op:
        assert commands == [op]
        return "repeated"
    if isinstance(slot.op, m.ReadBack):
        assert commands == [slot.op]
        return "read back"
    return "settled" if slot.version == 900 else "undone"


@pytest.mark.parametrize(("kind", "event"), LEGAL)
def test_a_legal_outcome_takes_its_step(kind: type, event: type) -> None:
    play, op = under_way(kind)
    commands = play.table.handle(outcome(event, op.op), play.now)
    assert what_happened(play.table.picture.slots[0], op, commands) == EXPECTED[kind, event]


def test_an_outcome_is_taken_once() -> None:
    play, op = under_way(m.Grant)
    written = play.server.apply(op, 1)
    play(written)
    with pytest.raises(m.IllegalTransition):
        play(written)


@pytest.mark.parametrize("kind", [m.Make, m.Grant, m.HandOver, m.Free, m.Remove])
def test_after_an_unknown_outcome_a_failure_proves_nothing(kind: type) -> None:
    play, op = under_way(kind)
    assert play(m.Unknown(op.op), kind) is op
    assert play(m.Failed(op.op, "429"), kind) is op


@pytest.mark.parametrize("kind", [m.Grant, m.HandOver])
def test_what_was_sent_once_cannot_be_withdrawn(kind: type) -> None:
    play, op = under_way(kind)
    play(m.Unknown(op.op), kind)
    before = state(play.table)
    with pytest.raises(m.IllegalTransition, match="after it was sent"):
        play(m.Withdrawn(op.op))
    assert state(play.table) == before


OTHERS: tuple[m.Event, ...] = (
    ask("z"),
    m.PollEnded(("a",)),
    m.Leave("z"),
    m.SetLimit(1),
    m.SetHold("maintenance"),
    m.Tick(),
    m.Seen(0, held_lease(0, "z", 5)),
    m.Gone(0, 500),
    m.Relisted({}, 1000.0),
    m.Courtesy("a"),
    m.Evidence("a", Verdict.UNREACHABLE, POD, found=False),
    m.PodChanged("a"),
    m.Restarted(Speaker("agent", "b2")),
)


@pytest.mark.parametrize("kind", OPERATIONS)
@pytest.mark.parametrize("event", OTHERS, ids=lambda event: type(event).__name__)
def test_nothing_but_its_outcome_ends_what_is_under_way(kind: type, event: m.Event) -> None:
    play, op = under_way(kind)
    slot = play.table.picture.slots[0]
    lease, heir = slot.lease, slot.heir
    play.table.handle(event, play.now)
    assert (slot.op, slot.lease, slot.heir) == (op, lease, heir)
    assert play.table.picture.under_way(op.op) is slot


@pytest.mark.parametrize(
    ("refused", "why"),
    [(ask("a", ttl=99), ClaimMismatch), (ask("gone"), ClaimReleased)],
)
def test_a_refused_request_changes_nothing(refused: m.Ask, why: type[Refusal]) -> None:
    play = Play()
    play.grant("a")
    play(m.Leave("gone"))
    before = state(play.table)
    with pytest.raises(why):
        play(refused)
    assert state(play.table) == before
