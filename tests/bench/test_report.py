"""Tables and JSON say what was measured, and the command's exit code whether that is enough."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import pytest

from tests.bench import __main__ as command
from tests.bench import report
from tests.bench.made import HALF, fails, scenario, series, shown

if TYPE_CHECKING:
    from pathlib import Path

    from tests.bench.scenario import Scenario, Subject


@pytest.fixture
def bench(monkeypatch: pytest.MonkeyPatch) -> pytest.MonkeyPatch:
    """A machine on which nothing is built."""
    monkeypatch.setattr(report, "machine", lambda: {"processor": "made up"})
    return monkeypatch


def one(ours: Subject, theirs: Subject) -> tuple[Scenario, ...]:
    return (scenario({"ours": ours, "theirs": theirs}, HALF),)


def test_a_cell_shows_the_median_the_lowest_and_the_highest() -> None:
    text = report.tables([shown(ours=[30, 10, 20], theirs=[40, 40, 40])])
    assert "| ours | 20.0 (10.0 to 30.0) |" in text
    assert "| theirs | 40.0 |" in text
    assert "3 rounds" in text


def test_a_goal_shows_its_bound_its_ratio_and_the_verdict() -> None:
    text = report.tables([shown(ours=[1], theirs=[4])])
    assert "| ours of theirs | ≥ 0.500 | 0.250 | **no** |" in text


def test_a_figure_that_only_one_subject_has_is_left_empty_for_the_others() -> None:
    result = shown(ours=[1], theirs=[1])
    result.rounds[0]["ours"]["CPU ms"] = 7.0
    text = report.tables([result])
    assert "| ours | 1.00 | 7.00 |" in text
    assert "| theirs | 1.00 |  |" in text


@pytest.mark.parametrize(
    ("value", "told"),
    [(0.0, "0"), (0.01234, "0.0123"), (0.999, "0.999"), (12345.6, "12,346"), (-2.5, "-2.50")],
)
def test_a_number_has_three_digits_that_count(value: float, told: str) -> None:
    assert report.number(value) == told


def test_what_is_missed_or_broken_stands_in_the_summary() -> None:
    assert "met" in report.summary([shown([1], [1])])
    assert "S0: ours of theirs: 0.100" in report.summary([shown([1], [10])])


def test_the_json_holds_every_round_as_it_was(bench: pytest.MonkeyPatch) -> None:
    result = shown([1, 2], [4, 4])
    told = json.loads(report.as_json([result]))
    (found,) = told["scenarios"]
    assert found["rounds"] == result.rounds
    (goal,) = found["goals"]
    assert (goal["values"], goal["bound"], goal["met"]) == ([0.25, 0.5], 0.5, False)


def test_a_run_of_some_scenarios_keeps_what_was_written_of_the_others(
    bench: pytest.MonkeyPatch,
) -> None:
    old = b'{"scenarios": [{"key": "S0", "title": "old"}, {"key": "S2", "title": "kept"}]}'
    told = json.loads(report.merged(old, report.as_json([shown([1], [1])])))
    found = {each["key"]: each["title"] for each in told["scenarios"]}
    assert found == {"S0": "made up", "S2": "kept"}


def test_a_table_takes_its_own_place_in_the_page_and_nothing_else_moves() -> None:
    page = "# Speed\n<!-- S0 -->\nold\n<!-- end of S0 -->\nmore\n"
    new = report.placed(page, "S0", "new\n")
    assert new == "# Speed\n<!-- S0 -->\nnew\n<!-- end of S0 -->\nmore\n"
    with pytest.raises(ValueError, match="no place for S9"):
        report.placed(page, "S9", "new")


@pytest.mark.parametrize(("ours", "code"), [([5], 0), ([4], 1)])
def test_a_missed_goal_makes_the_exit_code_1(
    bench: pytest.MonkeyPatch, ours: list[float], code: int
) -> None:
    bench.setattr(command, "ALL", one(series(ours), series([10])))
    assert command.main(["--rounds", "1"]) == code


def test_a_subject_that_fails_is_named_and_makes_the_exit_code_1(
    bench: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    bench.setattr(command, "ALL", one(series([1]), fails))
    assert command.main(["--rounds", "1"]) == 1
    assert "S0 ended early: Broken: theirs: nobody answers" in capsys.readouterr().out


def test_a_scenario_that_nobody_knows_is_refused(
    bench: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(SystemExit):
        command.main(["S99"])
    assert "there is no scenario S99" in capsys.readouterr().err


def test_json_is_written_where_it_is_wanted(bench: pytest.MonkeyPatch, tmp_path: Path) -> None:
    bench.setattr(command, "ALL", one(series([1]), series([1])))
    assert command.main(["--rounds", "1", "--json", str(tmp_path / "figures.json")]) == 0
    told = json.loads((tmp_path / "figures.json").read_bytes())
    assert told["machine"] == {"processor": "made up"}
