"""A body is read strictly, and what is wrong with it names the field."""

from __future__ import annotations

import json
import math
from typing import Any

import pytest

from agent_client.messages import Pod
from agent_client.session import Patience
from agent_client.sidecar.problems import Failed
from agent_client.sidecar.requests import (
    Defaults,
    Wish,
    read_named_wish,
    read_wait,
    read_wish,
)

OWN = Pod("velero", "node-agent-x", "uid-1")
DEFAULTS = Defaults(ttl=45, if_unavailable="run", unavailable_after=7.0, pod=OWN)


def read(body: Any) -> Wish:
    return read_wish(json.dumps(body).encode(), DEFAULTS)


def test_what_is_not_said_is_the_sidecars_own() -> None:
    patience = Patience(math.inf, "run", 7.0, math.inf)
    assert read({"load": "a"}) == Wish("a", 0, 45, OWN, patience, "")


def test_null_is_the_default_too() -> None:
    names = ("priority", "timeoutSeconds", "ttlSeconds", "ifUnavailable", "pod")
    assert read({"load": "a", **dict.fromkeys(names)}) == read({"load": "a"})


def test_everything_can_be_said() -> None:
    wish = read(
        {
            "load": "backup-7/pvc-3",
            "priority": -5,
            "timeoutSeconds": 1.5,
            "ttlSeconds": 10,
            "ifUnavailable": "fail",
            "unavailableAfterSeconds": 0,
            "pod": {"namespace": "ns", "name": "mover", "uid": "u"},
        }
    )
    patience = Patience(1.5, "fail", 0.0, math.inf)
    assert wish == Wish("backup-7/pvc-3", -5, 10, Pod("ns", "mover", "u"), patience)


def test_a_named_load_needs_no_body_and_may_have_a_uid() -> None:
    assert read_named_wish("a", b"", DEFAULTS) == read({"load": "a"})
    assert read_named_wish("a", b'{"uid": "7"}', DEFAULTS).uid == "7"


@pytest.mark.parametrize(
    ("body", "status", "field"),
    [
        ({}, 400, "load"),
        ({"load": ""}, 400, "load"),
        ({"load": 7}, 400, "load"),
        ({"load": "x" * 257}, 422, "load"),
        ({"load": "a\nb"}, 422, "load"),
        ({"laod": "a"}, 400, "laod"),
        ({"load": "a", "uid": "7"}, 400, "uid"),
        ({"load": "a", "priority": "1"}, 400, "priority"),
        ({"load": "a", "priority": True}, 400, "priority"),
        ({"load": "a", "priority": 1.5}, 400, "priority"),
        ({"load": "a", "priority": 1_000_001}, 422, "priority"),
        ({"load": "a", "ttlSeconds": 9}, 422, "ttlSeconds"),
        ({"load": "a", "ttlSeconds": 3601}, 422, "ttlSeconds"),
        ({"load": "a", "timeoutSeconds": -1}, 422, "timeoutSeconds"),
        ({"load": "a", "timeoutSeconds": math.nan}, 422, "timeoutSeconds"),
        ({"load": "a", "timeoutSeconds": math.inf}, 422, "timeoutSeconds"),
        ({"load": "a", "timeoutSeconds": "5"}, 400, "timeoutSeconds"),
        ({"load": "a", "ifUnavailable": "maybe"}, 400, "ifUnavailable"),
        ({"load": "a", "unavailableAfterSeconds": []}, 400, "unavailableAfterSeconds"),
        ({"load": "a", "pod": "ns/name"}, 400, "pod"),
        ({"load": "a", "pod": {"namespace": "ns"}}, 400, "pod"),
        ({"load": "a", "pod": {"namespace": "ns", "name": 1}}, 400, "pod.name"),
        ({"load": "a", "pod": {"namespace": "ns", "name": "p", "id": ""}}, 400, "pod.id"),
    ],
)
def test_what_is_wrong_is_refused_and_named(body: dict[str, Any], status: int, field: str) -> None:
    with pytest.raises(Failed) as failed:
        read(body)
    assert failed.value.problem.status == status
    assert failed.value.problem.fields == (field,)
    assert failed.value.problem.detail.startswith(field)


@pytest.mark.parametrize("body", [b"", b"{", b"[]", b"null", b"\xff", b"[" * 50_000])
def test_what_is_no_json_object_is_refused(body: bytes) -> None:
    with pytest.raises(Failed, match="JSON"):
        read_wish(body, DEFAULTS)


@pytest.mark.parametrize(("text", "seconds"), [("0", 0.0), ("55", 55.0), ("1.5", 1.5)])
def test_a_wait_is_seconds(text: str, seconds: float) -> None:
    assert read_wait({"wait": text}) == seconds
    assert read_wait({}) == 0.0


@pytest.mark.parametrize("query", [{"wait": "56"}, {"wait": "-1"}, {"wait": "nan"}, {"w": "1"}])
def test_another_wait_is_refused(query: dict[str, str]) -> None:
    with pytest.raises(Failed, match=r"query\.w"):
        read_wait(query)
