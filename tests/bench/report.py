"""What was measured: as tables, as JSON, and in docs/performance.md."""

from __future__ import annotations

import math
import statistics
from pathlib import Path
from typing import TYPE_CHECKING, Any

import orjson

from tests.bench.machine import machine

if TYPE_CHECKING:
    from collections.abc import Sequence

    from tests.bench.run import Result, Verdict

_ROOT = Path(__file__).parents[2]
PAGE = _ROOT / "docs" / "performance.md"
DATA = _ROOT / "docs" / "performance.json"


def tables(results: Sequence[Result]) -> str:
    """A heading, the figures and the goals of each scenario, in Markdown."""
    return "\n".join(_scenario(result) for result in results)


def _scenario(result: Result) -> str:
    scenario = result.scenario
    count = len(result.rounds)
    lines = [f"### {scenario.key}: {scenario.title}", ""]
    lines += [f"{count} round{'' if count == 1 else 's'}; medians (lowest to highest).", ""]
    lines += [*_figures(result), "", *_goals(result), ""]
    if result.broken:
        lines += [f"It ended early: {result.broken}", ""]
    return "\n".join(lines)


def _figures(result: Result) -> list[str]:
    subjects = list(result.rounds[0]) if result.rounds else []
    columns = list(dict.fromkeys(name for one in subjects for name in result.rounds[0][one]))
    lines = [f"| | {' | '.join(columns)} |", f"|---|{'---|' * len(columns)}"]
    for subject in subjects:
        cells = [_cell(result, subject, column) for column in columns]
        lines.append(f"| {subject} | {' | '.join(cells)} |")
    return lines


def _cell(result: Result, subject: str, column: str) -> str:
    values = [shown[subject][column] for shown in result.rounds if column in shown[subject]]
    return spread(values)


def _goals(result: Result) -> list[str]:
    lines = ["| goal | bound | measured | met |", "|---|---|---|---|"]
    return [*lines, *(f"| {' | '.join(_goal(one))} |" for one in result.verdicts)]


def _goal(verdict: Verdict) -> tuple[str, str, str, str]:
    name, values = verdict.goal.name, spread(verdict.values)
    if verdict.bound is None:
        return name, "not judged", values, "-"
    bound = ("≥ " if verdict.goal.at_least else "≤ ") + number(verdict.bound)
    return name, bound, values, "yes" if verdict.met else "**no**"


def spread(values: Sequence[float]) -> str:
    """The median, and the lowest and highest where they differ from it."""
    if not values:
        return ""
    middle, low, high = (number(f(values)) for f in (statistics.median, min, max))
    return middle if low == high else f"{middle} ({low} to {high})"


def number(value: float) -> str:
    """Three digits that count, and no exponent."""
    if math.isnan(value):
        return "-"
    digits = max(0, 2 - math.floor(math.log10(abs(value)))) if value else 0
    return f"{value:,.{digits}f}"


def summary(results: Sequence[Result]) -> str:
    """What was missed, or that nothing was."""
    missed = [
        f"{result.scenario.key}: {verdict.goal.name}: {number(verdict.value)}"
        for result in results
        for verdict in result.verdicts
        if not verdict.met
    ]
    missed += [f"{one.scenario.key} ended early: {one.broken}" for one in results if one.broken]
    return "\n".join(["missed:", *missed]) if missed else "every goal that is judged here is met"


def as_json(results: Sequence[Result]) -> bytes:
    """Every round, for whoever wants to reckon for himself."""
    told = {"machine": machine(), "scenarios": [_as_dict(result) for result in results]}
    return orjson.dumps(told, option=orjson.OPT_INDENT_2 | orjson.OPT_APPEND_NEWLINE)


def _as_dict(result: Result) -> dict[str, Any]:
    goals = [
        {
            "name": one.goal.name,
            "bound": one.bound,
            "atLeast": one.goal.at_least,
            "values": one.values,
            "met": one.met,
        }
        for one in result.verdicts
    ]
    head = {"key": result.scenario.key, "title": result.scenario.title, "broken": result.broken}
    return head | {"goals": goals, "rounds": result.rounds}


def write(results: Sequence[Result]) -> None:
    """Each scenario's table into its place in docs/performance.md, and the rounds beside it."""
    page = PAGE.read_text()
    for result in results:
        page = placed(page, result.scenario.key, tables([result]))
    data = merged(DATA.read_bytes() if DATA.exists() else b"{}", as_json(results))
    page = placed(page, "machine", "\n".join(f"- {key}: {said}" for key, said in machine().items()))
    PAGE.write_text(placed(page, "goals", overview(data)))
    DATA.write_bytes(data)


def overview(data: bytes) -> str:
    """Every goal of every scenario, from the JSON of all of them."""
    lines = ["| | scenario | goal | bound | measured | met |", "|---|---|---|---|---|---|"]
    for one in orjson.loads(data)["scenarios"]:
        for goal in one["goals"]:
            bound = ("≥ " if goal["atLeast"] else "≤ ") + number(goal["bound"])
            met = "yes" if goal["met"] else "**no**"
            cells = one["key"], one["title"], goal["name"], bound, spread(goal["values"]), met
            lines.append(f"| {' | '.join(cells)} |")
    return "\n".join(lines)


def placed(page: str, key: str, text: str) -> str:
    """The page with the text between the marks of `key`. Raises `ValueError` without marks."""
    begin, end = f"<!-- {key} -->", f"<!-- end of {key} -->"
    before, found, rest = page.partition(begin)
    _, closed, after = rest.partition(end)
    if not (found and closed):
        raise ValueError(f"{PAGE.name} has no place for {key}: {begin} … {end}")
    return f"{before}{begin}\n{text.strip()}\n{closed}{after}"


def merged(old: bytes, new: bytes) -> bytes:
    """The scenarios of both; the newer one's where both have one."""
    told = orjson.loads(new)
    kept = {one["key"]: one for one in orjson.loads(old).get("scenarios", [])}
    kept |= {one["key"]: one for one in told["scenarios"]}
    told["scenarios"] = sorted(kept.values(), key=lambda one: int(one["key"][1:]))
    return orjson.dumps(told, option=orjson.OPT_INDENT_2 | orjson.OPT_APPEND_NEWLINE)
