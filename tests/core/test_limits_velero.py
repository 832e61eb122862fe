"""Same file, same node: the same answer as Velero's own code (tests/oracle made the answers)."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from coordinator.core.limits import ConfigRefused, read_config
from tests.oracle.compare import twice

DATA = Path(__file__).parent.parent / "data"


def stored(name: str) -> list[dict[str, Any]]:
    return [json.loads(line) for line in (DATA / name).read_text().splitlines()]


def differences(cases: list[dict[str, Any]]) -> Iterator[str]:
    for case in cases:
        try:
            rules = read_config(case["data"])
        except ConfigRefused as refused:
            if not case["refused"]:
                yield f"{case['id']}: we refuse ({refused}), Velero gives {case['limit']}"
            continue
        limit = rules.resolve(case["node_labels"] or {}).limit
        if case["refused"] or limit != case["limit"]:
            yield f"{case['id']}: we give {limit}, Velero {case['limit']}"


FILES = {"velero_limits_sample.jsonl": 312, "velero_limits_more.jsonl": 1500}


@pytest.mark.parametrize("name", FILES)
def test_every_stored_answer_of_velero_is_ours_too(name: str) -> None:
    cases = [case for case in stored(name) if not twice(case["data"])]
    assert len(cases) >= FILES[name]
    assert list(differences(cases)) == []


@pytest.mark.parametrize("name", FILES)
def test_the_only_difference_is_a_key_that_stands_twice(name: str) -> None:
    cases = [case for case in stored(name) if twice(case["data"])]
    assert cases
    for case in cases:
        with pytest.raises(ConfigRefused):
            read_config(case["data"])


def test_the_stored_answers_hold_both_kinds_in_number() -> None:
    answers = [case["refused"] for name in FILES for case in stored(name)]
    assert answers.count(True) > 500
    assert answers.count(False) > 500
