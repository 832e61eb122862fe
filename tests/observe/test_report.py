"""From a recording's lines to the figures, and to what they do not tell."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import pytest
from rich.console import Console

from coordinator.core.movers import Kind
from coordinator.observe import journal
from coordinator.observe.history import History, history
from coordinator.observe.judging import given
from coordinator.observe.report import Report, report
from coordinator.observe.report_text import render
from tests.observe.worlds import HOST, RESTORE, WORLD, T, config, mover, node, work

if TYPE_CHECKING:
    from collections.abc import Iterator

    from coordinator.observe.journal import Entry
    from coordinator.observe.judging import Judge
    from coordinator.velero.world import World

EMPTY = replace(WORLD, taken=T, works=(), movers=(), nodes=(node("node1"),))
"""One node with a limit of 1."""


def at(seconds: float, world: World = EMPTY, **changes: object) -> World:
    return replace(world, taken=T + seconds, **changes)  # type: ignore[arg-type]


def entries(*worlds: World) -> Iterator[Entry]:
    """As a recorder would write them."""
    before: dict[str, journal.Value] = {}
    yield journal.begin(worlds[0], 2.0)
    for world in worlds:
        state = journal.state_of(world)
        yield from journal.changes(before, state, world.taken)
        before = state
    yield journal.Entry(worlds[-1].taken, journal.END, {})


def read(*worlds: World, judge: Judge | None = None) -> History:
    return history(journal.read(journal.write(entries(*worlds)), "r"), judge)


def reported(*worlds: World, judge: Judge | None = None) -> Report:
    return report(read(*worlds, judge=judge))


def not_known(*worlds: World) -> str:
    return "\n".join(reported(*worlds).unknown)


TWO = (work("a", "node1", "Completed", 5, 65), work("b", "node1", "Completed", 5, 45))
"""Two at once where one may, for 40 s."""


def test_a_single_look_tells_what_velero_remembers() -> None:
    found = reported(at(100, works=TWO))
    assert (found.was.overlaps, found.was.over_seconds, found.was.most) == (1, 40, 2)
    assert (found.would.overlaps, found.would.most) == (0, 1)
    assert found.startup == 5
    assert found.was.waits.longest == 5
    assert found.would.waits.longest == 5 + 60 + 3  # the first one's run, and the hand-over
    assert found.first == T


def test_other_limits_may_be_tried() -> None:
    found = reported(at(100, works=TWO), judge=given(config(2).data, "limits.json"))
    assert (found.was.overlaps, found.would.overlaps, found.source) == (0, 0, "limits.json")
    assert found.would.waits.longest == 5


def test_an_overlap_is_judged_by_the_limit_of_its_time() -> None:
    wide = at(0, limits=(config(2),))
    narrow = at(25, wide, limits=(config(1),), works=TWO)
    found = reported(wide, narrow)
    assert found.was.over_seconds == 20
    assert found.nodes[0].limits == (2, 1)


def test_restores_would_go_first() -> None:
    works = (
        *(work(f"b{at}", "node1", "Completed", 10 + 60 * at, 65 + 60 * at) for at in range(4)),
        work("r", "node1", "Completed", 250, 300, kind=RESTORE, asked=1),
    )
    found = reported(at(400, works=works))
    assert found.was.restores.longest == 249
    assert found.would.restores.longest < 80


def test_containers_at_once_are_told_beside_what_moved() -> None:
    pods = tuple(mover(name, "node1", 4, end) for name, end in (("a", 20), ("b", 40), ("c", 60)))
    works = (
        work("a", "node1", "Completed", 5, 20),
        work("b", "node1", "Completed", 21, 40),
        work("c", "node1", "Completed", 41, 60),
    )
    (found,) = reported(at(100, works=works, movers=pods)).nodes
    assert (found.up_most, found.was.most) == (3, 1)


def test_who_never_moved_is_left_out_and_counted() -> None:
    works = (work("a", "node1", "Failed", 1800, 1800), work("b", "node1"))
    told = not_known(at(2000, works=works))
    assert "1 mover ended without moving data" in told
    assert "1 mover had not moved data yet at the end, after waiting for up to 33m20s" in told
    assert reported(at(2000, works=works)).nodes == ()


def test_who_still_moves_counts_until_the_end_and_is_told() -> None:
    works = (work("a", "node1", "InProgress", 5),)
    found = reported(at(0), at(10, works=works), at(95, works=works))
    assert found.was.busy == 95
    assert "1 mover still moved data" in "\n".join(found.unknown)


def test_who_was_deleted_on_its_way_ends_when_it_was_gone() -> None:
    works = (work("a", "node1", "InProgress", 5),)
    seen = read(at(10, works=works), at(30), at(90))
    assert seen.runs[0].done == T + 30
    assert "1 mover deleted before the end was told" in "\n".join(report(seen).unknown)
    pod = mover("p", "node1", up=4)
    assert read(at(10, movers=(pod,)), at(30)).runs[0].done == T + 30


def test_a_pod_that_went_does_not_end_a_work_that_goes_on() -> None:
    works = (work("a", "node1", "InProgress", 5),)
    seen = read(at(10, works=works, movers=(mover("a", "node1", up=4),)), at(30, works=works))
    assert seen.runs[0].done is None


def test_windows_nodes_stay_as_they_were() -> None:
    windows = node("node1", os="windows")
    found = reported(at(100, nodes=(windows,), works=TWO))
    assert found.nodes[0].would is None
    assert found.would.overlaps == found.was.overlaps == 1


def test_a_node_that_went_keeps_its_last_limit() -> None:
    wide = at(0, limits=(config(7),))
    assert read(wide, at(10, wide, nodes=())).limits["node1"] == ((T, 7),)


def test_gaps_damage_and_missing_rights_are_told() -> None:
    first = journal.write(entries(at(0, works=TWO)))
    second = journal.write(entries(at(3600, works=TWO, unread=("pods: you may not list them",))))
    found = report(history(journal.read(first + b'{"at": 1\n' + second, "r")))
    told = "\n".join(found.unknown)
    for words in ("nobody looked for 1h between 2 recordings", "1 line of the file", "pods: you"):
        assert words in told


def test_csi_movers_that_nobody_saw_have_the_volume_in_their_wait() -> None:
    works = (work("a", "node1", "Completed", 50, 60, kind=Kind.DATA_UPLOAD),)
    assert "of 1 CSI mover no Pod was seen" in not_known(at(90, works=works))
    pod = replace(mover("a", "node1", up=45, down=60), kind=Kind.DATA_UPLOAD)
    assert "CSI" not in not_known(at(90, works=works, movers=(pod,)))


@pytest.mark.parametrize("width", [80, 140])
def test_a_report_fits_its_terminal_and_says_what_matters(width: int) -> None:
    several = at(100, nodes=(node("node1"), node("node2")), works=(*TWO, work("c", "node2")))
    both = replace(several, works=(*TWO, work("c", "node2", "Completed", 5, 9, kind=RESTORE)))
    console = Console(width=width, color_system=None)
    with console.capture() as text:
        console.print(render(reported(both), width))
    lines = text.get().splitlines()
    assert max(map(len, lines)) <= width
    told = " ".join(text.get().split())
    for words in (
        "above the limit 1 time, for 40s in all, by 1 at most; with node-slots never",
        "2 of 1 1x, 40s",
        "1 of 1 never",
        "restores waited 5s (median)",
        "not known",
    ):
        assert words in told


def test_a_recording_without_movers_says_so() -> None:
    console = Console(width=80, color_system=None)
    with console.capture() as text:
        console.print(render(reported(EMPTY), 80))
    assert "no mover moved any data" in text.get()


def test_what_cannot_be_understood_is_left_out() -> None:
    odd = journal.Entry(T + 1, "work PodVolumeBackup/x", {"kind": "Unheard"})
    lines = journal.write([*entries(at(0, works=TWO)), odd])
    assert [run.name for run in history(journal.read(lines, "r")).runs] == ["a", "b"]
    assert HOST in str(lines)
