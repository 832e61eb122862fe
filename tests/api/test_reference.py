"""docs/api.md tells of every route, problem, event and field, and of no other."""

from __future__ import annotations

import re
from pathlib import Path

import orjson

from coordinator.api import examples, examples_pool
from coordinator.api.happenings import EVENTS
from coordinator.api.listing import NODE_STATES
from coordinator.api.problems import KINDS
from coordinator.api.routes import ADMISSION, API, HEALTH
from coordinator.core.listing import STATES

TEXT = (Path(__file__).parents[2] / "docs" / "api.md").read_text("utf-8")


def test_the_reference_names_every_route() -> None:
    for route in (*API, *ADMISSION, *HEALTH):
        assert route.path in TEXT


def test_the_reference_lists_every_problem_with_its_status() -> None:
    told = re.findall(r"^\| `([a-z-]+)` \| (\d+) \|", TEXT, re.MULTILINE)
    assert {name: int(status) for name, status in told} == {
        name: kind.status for name, kind in KINDS.items()
    }


def test_the_reference_lists_every_event() -> None:
    section = TEXT.split("\n## Events\n")[1].split("\n## ")[0]
    assert set(re.findall(r"^\| `([a-z]+)` \|", section, re.MULTILINE)) == set(EVENTS)


def test_the_reference_names_every_parameter_and_state() -> None:
    section = TEXT.split("\n## Lists\n")[1].split("\n## ")[0]
    told = set(re.findall(r"`([a-z-]+)`", section))
    asked = {one.name for route in API for one in route.query} - {"summaries"}
    assert told == asked | set(NODE_STATES) | set(STATES)
    assert "`summaries=1`" in TEXT
    assert "`Last-Event-ID`" in TEXT


def test_what_the_reference_shows_is_the_documents_own_example() -> None:
    shown = [orjson.loads(block) for block in re.findall(r"```json\n(.*?)```", TEXT, re.DOTALL)]
    assert examples.EXPLAINED_WAIT in shown
    for event in examples_pool.EVENTS.split("\n\n"):
        assert event.strip() in TEXT
