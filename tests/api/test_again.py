"""What is said again as it is known is not read again; whatever differs in anything is."""

from __future__ import annotations

from typing import Any

import pytest

from coordinator.api.again import said_again
from coordinator.api.bodies import parse
from coordinator.api.schemas import SyncClaim
from coordinator.core.claims import Claim, Policy
from coordinator.core.model import PodRef, Speaker, Terms

OWNER = "velero/agent"
AGENT = Speaker("agent", "b1", OWNER)
POD = {"namespace": "velero", "name": "mover", "uid": "u-1"}
TERMS = Terms("load", 1, 30, PodRef("velero", "mover", "u-1"), OWNER)
SAID = {
    "claim": "c1",
    "load": "load",
    "priority": 1,
    "ttlSeconds": 30,
    "pod": POD,
    "ticket": "7.12",
    "fencingToken": 5,
}


def known(terms: Terms = TERMS) -> dict[str, Claim]:
    claim = Claim("c1", terms, Policy().key("c1", terms.priority, (7, 12), 7), 1.0, 1.0)
    claim.chosen = 5
    return {"c1": claim}


def again(value: Any, terms: Terms = TERMS) -> Any:
    return said_again(value, known(terms), AGENT, 3)


@pytest.mark.parametrize(
    "left_out", [(), ("ticket",), ("fencingToken",), ("ticket", "fencingToken")]
)
def test_the_request_is_the_one_that_reading_it_gives(left_out: tuple[str, ...]) -> None:
    said = {name: value for name, value in SAID.items() if name not in left_out}
    assert again(said) == parse(SyncClaim, said).ask("c1", 3, AGENT)


def test_what_has_its_default_may_be_left_out() -> None:
    said = {"claim": "c1", "load": "load"}
    plain = Terms("load", owner=OWNER)
    assert again(said, plain) == parse(SyncClaim, said).ask("c1", 3, AGENT)


def test_the_terms_are_the_very_ones_of_the_claim() -> None:
    """So that fifty thousand of them stand once, and comparing them costs nothing."""
    assert again(SAID).terms is TERMS


@pytest.mark.parametrize(
    "other",
    [
        {"claim": "c2"},
        {"claim": ["c1"]},
        {"load": "other"},
        {"priority": 2},
        {"priority": True},
        {"priority": 1.0},
        {"ttlSeconds": 60},
        {"ttlSeconds": 30.0},
        {"pod": None},
        {"pod": "mover"},
        {"pod": {**POD, "uid": "u-2"}},
        {"pod": {**POD, "name": "other"}},
        {"pod": {**POD, "namespace": "other"}},
        {"pod": {"namespace": "velero", "name": "mover"}},
        {"pod": {**POD, "colour": "red"}},
        {"ticket": "7.13"},
        {"ticket": 7.12},
        {"fencingToken": 6},
        {"fencingToken": 5.0},
        {"ending": True},
        {"colour": "red"},
    ],
    ids=str,
)
def test_whatever_says_anything_else_has_to_be_read(other: dict[str, Any]) -> None:
    assert again(SAID | other) is None


@pytest.mark.parametrize("value", [None, [], "c1", 5, {}], ids=str)
def test_what_is_no_claim_has_to_be_read(value: Any) -> None:
    assert again(value) is None


def test_what_is_known_as_anothers_has_to_be_read() -> None:
    assert again(SAID, Terms("load", 1, 30, TERMS.pod, "velero/other")) is None
