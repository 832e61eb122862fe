"""Data as CEL: quoted, and of one type wherever Kubernetes wants that."""

from __future__ import annotations

from typing import Any

import pytest

from coordinator.injection.cel import WIDTH, Code, literal


@pytest.mark.parametrize(
    ("value", "text"),
    [
        ('a"b\\c\n', r'"a\"b\\c\n"'),
        (True, "true"),
        (7, "7"),
        (["a", "b"], '["a", "b"]'),
        (["a", Code("variables.x")], '["a", variables.x]'),
        ({"a": "b", "c": "d"}, '{"a": "b", "c": "d"}'),
        ({"a": "b", "c": 1}, '{"a": dyn("b"), "c": dyn(1)}'),
        ({"a": 1, "c": True}, '{"a": dyn(1), "c": dyn(true)}'),
        ([{"a": "b"}, {"a": 1}], '[dyn({"a": "b"}), dyn({"a": 1})]'),
        ({"a": {"b": "c"}, "d": {"e": "f"}}, '{"a": {"b": "c"}, "d": {"e": "f"}}'),
        ([], "[]"),
    ],
)
def test_each_value_is_told(value: Any, text: str) -> None:
    assert literal(value) == text


def test_what_is_long_gets_lines_of_its_own() -> None:
    text = literal({"first": "x" * 60, "second": ["y" * 60, "z" * 60]})
    assert text.splitlines()[0] == "{"
    assert max(map(len, text.splitlines())) <= WIDTH


def test_what_is_no_plain_data_is_refused() -> None:
    with pytest.raises(TypeError):
        literal(1.5)
