"""Rounds and verdicts: pairs within a round, medians over rounds, and nothing passes unseen."""

from __future__ import annotations

from contextlib import contextmanager
from typing import TYPE_CHECKING

import pytest

from tests.bench.made import FULL, HALF, SMOKE, fails, scenario, series, shown, silent
from tests.bench.run import measured
from tests.bench.scenario import Goal, Scenario, Size, figure
from tests.bench.scenarios import ALL

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from tests.bench.scenario import Figures, Subject


def test_a_goal_is_judged_by_the_median_of_what_was_paired_within_a_round() -> None:
    result = shown(ours=[6, 100, 5], theirs=[10, 1000, 1])
    (verdict,) = result.verdicts
    assert verdict.values == [0.6, 0.1, 5.0]
    assert verdict.value == 0.6
    assert result.good


@pytest.mark.parametrize("at_least", [True, False])
def test_the_bound_itself_is_good_enough(at_least: bool) -> None:
    goal = Goal("exactly", figure("per second", "ours"), 2, at_least=at_least)
    assert shown([2], [1], goal=goal).good


@pytest.mark.parametrize(("value", "at_least"), [(1.9, True), (2.1, False)])
def test_a_goal_that_is_missed_fails_the_scenario(value: float, at_least: bool) -> None:
    goal = Goal("nearly", figure("per second", "ours"), 2, at_least=at_least)
    assert not shown([value], [1], goal=goal).good


def test_a_short_run_is_judged_by_its_own_bound() -> None:
    assert not shown([3], [10], FULL).good
    assert shown([3], [10], SMOKE).good
    assert not shown([2], [10], SMOKE).good


def test_a_short_run_does_not_judge_what_depends_on_the_machine() -> None:
    absolute = Goal("per second", figure("per second", "ours"), 1000)
    assert not shown([1], [1], FULL, absolute).good
    result = shown([1], [1], SMOKE, absolute)
    assert result.good
    assert result.verdicts[0].bound is None


def test_each_subject_is_measured_once_a_round_and_another_one_begins() -> None:
    order: list[str] = []

    def noting(name: str) -> Subject:
        def subject() -> Figures:
            order.append(name)
            return {}

        return subject

    made = scenario({name: noting(name) for name in "abc"})
    result = measured(made, FULL, 3, silent)
    assert "".join(order) == "abcbcacab"
    assert [list(one) for one in result.rounds] == [["a", "b", "c"]] * 3


def test_a_subject_that_fails_is_named_and_fails_the_scenario() -> None:
    result = measured(scenario({"ours": series([1]), "theirs": fails}), FULL, 3, silent)
    assert result.broken == "Broken: theirs: nobody answers"
    assert not result.good


def test_a_stage_that_cannot_be_set_fails_the_scenario() -> None:
    @contextmanager
    def stage(_: Size) -> Iterator[Mapping[str, Subject]]:
        raise FileNotFoundError("no etcd")
        yield {}

    result = measured(Scenario("S0", "no stage", (), stage), FULL, 1, silent)
    assert result.broken == "FileNotFoundError: no etcd"
    assert not result.good


def test_a_stage_is_cleared_though_a_subject_fails() -> None:
    ended: list[str] = []

    @contextmanager
    def stage(_: Size) -> Iterator[Mapping[str, Subject]]:
        try:
            yield {"theirs": fails}
        finally:
            ended.append("stage")

    measured(Scenario("S0", "cleared", (), stage), FULL, 1, silent)
    assert ended == ["stage"]


def test_what_was_never_measured_is_no_success() -> None:
    result = measured(scenario({"ours": fails, "theirs": fails}, HALF), FULL, 1, silent)
    assert not result.verdicts[0].met


def test_each_scenario_has_a_number_of_its_own_and_they_stand_in_order() -> None:
    numbers = [int(one.key.removeprefix("S")) for one in ALL]
    assert numbers == sorted(set(numbers))


@pytest.mark.parametrize("one", ALL, ids=lambda one: one.key)
def test_no_short_run_is_judged_more_strictly_than_a_whole_one(one: Scenario) -> None:
    for goal in one.goals:
        if goal.smoke is not None:
            assert goal.met(goal.bound, goal.smoke), goal.name
