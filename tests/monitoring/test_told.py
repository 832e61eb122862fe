"""What a coordinator writes into its log, and which Events it makes: as the reference says."""

from __future__ import annotations

import json
import re
from typing import TYPE_CHECKING, Any

import pytest

from coordinator.service import movers, prepare, reports, silences, waits
from tests.docs.reference.events import CLAIM as CLAIM_FIELDS
from tests.docs.reference.events import EVENTS, LINES
from tests.monitoring import busy
from tests.monitoring.logcalls import calls

if TYPE_CHECKING:
    from tests.monitoring.conftest import Lived

pytestmark = pytest.mark.xdist_group("monitoring")
"""On one worker: each would start a coordinator of its own."""
OURS = "coordinator"
ABOUT = re.compile(f"{busy.CLAIM}|{busy.LOAD}")
"""What a line about a claim names, whatever it is: the claim, or the load."""
HAPPENED = {
    *("listening", "leading", "granted", "handed over", "freed", "holder looked at", "reclaim"),
    *("config accepted", "config refused", "limit changed", "outcome unknown", "write refused"),
    *("mover ungoverned", "request", "certificate served", "CA published", "stopping", "stopped"),
}
"""What the coordinator of these tests lived through."""


@pytest.fixture(scope="module")
def lines(lived: Lived) -> list[dict[str, Any]]:
    return [json.loads(line) for line in lived.log]


def ours(lines: list[dict[str, Any]]) -> list[dict[str, Any]]:
    return [line for line in lines if line["logger"].startswith(OURS)]


def fields(event: str) -> set[str]:
    return {name for name in LINES[event][1].split(", ") if name}


def test_each_line_is_one_json_object_that_says_when_how_bad_and_what(lived: Lived) -> None:
    for text in lived.log:
        line = json.loads(text)
        assert list(line)[:3] == ["timestamp", "level", "event"]
        assert line["timestamp"].endswith("Z")
        assert line["level"] in {"debug", "info", "warning", "error"}
        assert line["logger"]


def test_the_coordinator_lived_through_enough_to_judge_by(lines: list[dict[str, Any]]) -> None:
    assert {line["event"] for line in lines} >= HAPPENED


def test_a_line_about_a_claim_has_its_id_its_node_and_its_pool(lines: list[dict[str, Any]]) -> None:
    about = [line for line in lines if ABOUT.search(json.dumps(line))]
    assert len({line["event"] for line in about}) >= 8
    for line in about:
        assert line["claim"].startswith(busy.CLAIM), line
        assert (line["namespace"], line["node"]) == (busy.NS, busy.ONE), line


def test_an_event_is_one_of_those_that_are_listed_with_these_fields_and_no_others(
    lines: list[dict[str, Any]],
) -> None:
    for line in ours(lines):
        extra = line.keys() - {"timestamp", "level", "event", "logger"}
        assert extra <= fields(line["event"]), line
        assert line["level"] in LINES[line["event"]][0], line


def test_a_reason_is_a_field(lines: list[dict[str, Any]]) -> None:
    (reclaim,) = (line for line in lines if line["event"] == "reclaim")
    assert (reclaim["cause"], reclaim["reason"]) == ("finished", "its Pod has finished")
    refused = next(line for line in lines if line["event"] == "write refused")
    assert "403" in refused["error"]
    (passed, *_) = (line for line in lines if line["event"] == "handed over")
    assert passed["last"] != passed["claim"]
    assert min(passed["waited"], passed["held"], passed["seconds"]) >= 0


def test_every_event_of_the_code_is_listed_and_no_other() -> None:
    found = list(calls())
    assert [one.place for one in found if one.event is None] == [], "an event with a value in it"
    assert {one.event for one in found} == set(LINES)


def test_every_call_has_only_fields_that_are_listed() -> None:
    for one in calls():
        assert one.event
        assert set(one.fields) <= fields(one.event), one
        level = "error" if one.level == "exception" else one.level
        assert level == "log" or level in LINES[one.event][0], one


def test_a_line_that_knows_a_claim_knows_its_place() -> None:
    for event in LINES:
        if "claim" in fields(event):
            assert fields(event) >= set(CLAIM_FIELDS.split(", ")), event


def test_the_kubernetes_events_are_those_that_are_listed() -> None:
    reasons = {reports.REFUSED, reports.RECLAIMED, waits.WAITING, silences.UNRESPONSIVE}
    assert {*reasons, movers.UNGOVERNED, prepare.NEAR} == set(EVENTS)
