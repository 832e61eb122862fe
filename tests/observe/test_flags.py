"""Flags are read as Velero reads them, durations as Go does."""

from __future__ import annotations

from typing import Any

import pytest

from coordinator.velero.flags import duration, flags, runs, seconds_of


@pytest.mark.parametrize(
    ("text", "seconds"),
    [
        *(("30m", 1800.0), ("1h30m", 5400.0), ("1.5h", 5400.0), ("24h0m0s", 86400.0)),
        *(("0", 0.0), ("-1m", -60.0), ("+2s", 2.0), (".5s", 0.5), ("300ms", 0.3), ("1µs", 1e-6)),
    ],
)
def test_a_duration_is_what_go_reads(text: str, seconds: float) -> None:
    assert duration(text) == pytest.approx(seconds)


@pytest.mark.parametrize("text", ["", "30", "h", "1h x", "1d", "m30", "1h30", "--1h", "٣m"])
def test_what_go_refuses_is_no_duration(text: str) -> None:
    assert duration(text) is None


def test_an_unreadable_duration_leaves_the_default() -> None:
    assert seconds_of({"a": "soon"}, "a", 7.0) == 7.0
    assert seconds_of({}, "a", 7.0) == 7.0
    assert seconds_of({"a": "1m"}, "a", 7.0) == 60.0


def test_flags_come_with_an_equals_sign_a_word_or_nothing_and_the_last_counts() -> None:
    words = ["node-agent", "server", "--a=1", "--b", "2", "--c", "--a=3", "-d", "--e=x=y"]
    assert flags([*words, "--last", "--", "--f=1"]) == {
        "a": "3",
        "b": "2",
        "c": "true",
        "e": "x=y",
        "last": "true",
    }


@pytest.mark.parametrize(
    ("container", "is_one"),
    [
        ({"command": ["/velero"], "args": ["server", "--a=1"]}, True),
        ({"image": "registry/velero/velero:v1.18.0", "args": ["server"]}, True),
        ({"command": ["/velero", "server"]}, True),
        ({"command": ["/velero"], "args": ["node-agent", "server"]}, False),
        ({"image": "minio/minio:latest", "args": ["server", "/storage"]}, False),
        ({"command": ["/usr/bin/minio"], "args": ["server"], "image": "velero/x"}, False),
        ({}, False),
    ],
)
def test_only_veleros_own_program_runs_its_server(
    container: dict[str, Any], *, is_one: bool
) -> None:
    assert runs(container, "server") is is_one
