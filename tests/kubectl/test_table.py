"""Tables and ages as kubectl prints them."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from coordinator.embedded import tables
from coordinator.kubectl.table import NONE, UNKNOWN, age, cell, count, fields, table

MINUTE, HOUR, DAY, YEAR = 60, 3600, 86400, 365 * 86400


def test_a_table_has_capital_headers_three_spaces_and_no_space_at_the_end() -> None:
    assert table(("NODE", "LIMIT"), [("worker-1", 2), ("w", 10)]) == [
        "NODE       LIMIT",
        "worker-1   2",
        "w          10",
    ]


def test_without_rows_there_is_no_header_either() -> None:
    assert table(("NODE",), []) == []


def test_no_headers_leaves_the_columns_as_narrow_as_the_cells() -> None:
    assert table(("A LONG HEADER", "B"), [("x", "y")], headers=False) == ["x   y"]


def test_an_empty_cell_says_so() -> None:
    assert table(("A", "B"), [("", None)]) == ["A        B", f"{NONE}   {NONE}"]


def test_zero_is_a_value() -> None:
    assert cell(0) == "0"


@given(st.text())
def test_no_cell_moves_the_cursor_or_breaks_a_line(text: str) -> None:
    shown = cell(text)
    assert shown.isprintable()
    assert shown


def test_a_hostile_name_cannot_paint_the_terminal() -> None:
    assert cell("\x1b[31mred\nnext") == "?[31mred?next"


# From the table of apimachinery's own test, pkg/util/duration/duration_test.go.
@pytest.mark.parametrize(
    ("seconds", "told"),
    [
        (0, "0s"),
        (1, "1s"),
        (70, "70s"),
        (119, "119s"),
        (2 * MINUTE, "2m"),
        (10 * MINUTE - 1, "9m59s"),
        (10 * MINUTE, "10m"),
        (3 * HOUR - 1, "179m"),
        (3 * HOUR, "3h"),
        (3 * HOUR + 5 * MINUTE, "3h5m"),
        (8 * HOUR - 1, "7h59m"),
        (8 * HOUR, "8h"),
        (8 * HOUR + 59 * MINUTE, "8h"),
        (2 * DAY - 1, "47h"),
        (2 * DAY, "2d"),
        (2 * DAY + 5 * HOUR, "2d5h"),
        (8 * DAY, "8d"),
        (2 * YEAR - 1, "729d"),
        (2 * YEAR, "2y"),
        (2 * YEAR + DAY, "2y1d"),
        (8 * YEAR + DAY, "8y"),
    ],
)
def test_ages_are_those_of_kubectl(seconds: float, told: str) -> None:
    assert age(seconds) == told


@given(st.integers(0, 10 * YEAR))
def test_ages_are_those_of_the_embedded_api_server_too(seconds: int) -> None:
    from datetime import UTC, datetime, timedelta

    now = datetime(2026, 11, 22, tzinfo=UTC)
    then = (now - timedelta(seconds=seconds)).isoformat()
    assert age(seconds) == tables.age(then, now)


def test_an_age_that_nobody_knows_and_one_of_the_future() -> None:
    assert age(None) == UNKNOWN
    assert age(-5.0) == "0s"


def test_fields_stand_in_one_column_and_long_ones_go_on_below() -> None:
    assert fields([("Node", "n1"), ("Gone", None), ("Matched", "a\nb"), ("Empty", "")]) == [
        "Node:      n1",
        "Matched:   a",
        "           b",
        f"Empty:     {NONE}",
    ]


def test_counting_words() -> None:
    assert [count(1, "node"), count(0, "node"), count(5000, "node")] == [
        "1 node",
        "0 nodes",
        "5,000 nodes",
    ]
