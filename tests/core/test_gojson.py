"""JSON text is taken as Go's encoding/json takes it."""

import contextlib
import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from coordinator.core.gojson import MAX_DEPTH, JSONError, Number, Value, child_path, parse, quoted

plain = st.recursive(
    st.none() | st.booleans() | st.text(st.characters(exclude_categories=["Cs"])),
    lambda inner: st.lists(inner) | st.dictionaries(st.text(st.characters(codec="utf-8")), inner),
)


@given(plain, st.booleans(), st.sampled_from([None, 1, "\t"]))
def test_what_json_writes_is_read_back(value: object, ascii_only: bool, indent: int | str) -> None:
    assert parse(json.dumps(value, ensure_ascii=ascii_only, indent=indent)) == value


@given(st.text())
def test_no_text_fails_in_another_way_than_by_refusal(text: str) -> None:
    with contextlib.suppress(JSONError):
        parse(text)


@pytest.mark.parametrize("text", ["0", "-0", "12", "2.0", "1e2", "1E+400", "-0.5e-7", "9" * 5000])
def test_a_number_stays_the_text_that_it_is(text: str) -> None:
    assert parse(f" {text}\n") == Number(text)


@pytest.mark.parametrize(
    "text",
    [
        "01",
        "+1",
        ".5",
        "5.",
        "1e",
        "-",
        "0x1",
        "1_0",
        "NaN",
        "Infinity",
        "-Infinity",
        "\u0663",
        "3n",
    ],
)
def test_what_only_looks_like_a_number_is_refused(text: str) -> None:
    with pytest.raises(JSONError, match="not JSON"):
        parse(f'{{"a": {text}}}')


@pytest.mark.parametrize(
    ("written", "read"),
    [
        (r'"\ud83d\ude00"', "\U0001f600"),
        (r'"\uDBFF\uDFFF"', "\U0010ffff"),
        (r'"\ud800"', "\ufffd"),
        (r'"\ud800A"', "\ufffdA"),
        (r'"\ud800\u0041"', "\ufffdA"),
        (r'"\ud800\ud83d\ude00"', "\ufffd\U0001f600"),
        (r'"\ude00\ud83d"', "\ufffd\ufffd"),
        ('"\ud800"', "\ufffd"),
        (r'"\"\\\/\b\f\n\r\t\u0000"', '"\\/\b\f\n\r\t\0'),
        ('"\x7f\u2028"', "\x7f\u2028"),
    ],
)
def test_half_a_surrogate_pair_becomes_the_replacement_character(written: str, read: str) -> None:
    assert parse(written) == read


@pytest.mark.parametrize(
    "text",
    [r'"\x41"', r'"\'"', r'"\u12"', r'"\u12g4"', '"a\tb"', '"a\nb"', '"\x00"', '"abc', '"\\'],
)
def test_a_string_that_go_refuses_is_refused(text: str) -> None:
    with pytest.raises(JSONError, match="a string"):
        parse(text)


@pytest.mark.parametrize("blank", ["\u00a0", "\x0b", "\x0c", "\u2028", "\u3000", "\x00", "\u200b"])
def test_only_four_characters_are_blank(blank: str) -> None:
    assert parse(" \t\r\n1 \t\r\n") == Number("1")
    with pytest.raises(JSONError):
        parse(f"{blank}1")
    with pytest.raises(JSONError):
        parse(f"1{blank}")


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("", "line 1, column 1: a value is needed, found the end"),
        ('{"a": 1,}', "a key in double quotes is needed, found '}'"),
        ("[1,]", "a value is needed, found ']'"),
        ("[1 2]", "',' or ']' is needed"),
        ('{"a" 1}', "':' is needed"),
        ('{\n "a": 1 // one\n}', "line 2, column 9: .* JSON has no comments"),
        ("{'a': 1}", "a single quote"),
        ("\ufeff{}", "a byte order mark"),
        ("{} {}", "the end of the text is needed"),
        ('{"a": "x\ty"}', "control character"),
        ("a: 1", 'found "a: 1"'),
    ],
)
def test_a_refusal_says_where_and_what_was_found(text: str, told: str) -> None:
    with pytest.raises(JSONError, match=told):
        parse(text)


@pytest.mark.parametrize(
    ("text", "path"),
    [
        ('{"a": 1, "a": 1}', "a"),
        (r'{"a": 1, "\u0061": 2}', "a"),
        ('{"x": [0, {"b": {"c.d": null, "c.d": null}}]}', 'x[1].b["c.d"]'),
        (r'{"\ud800": 1, "\udc00": 2}', '["\ufffd"]'),
    ],
)
def test_a_key_that_stands_twice_is_refused_by_name(text: str, path: str) -> None:
    with pytest.raises(JSONError, match="stands twice") as refused:
        parse(text)
    assert refused.value.path == path


def test_keys_that_differ_in_case_are_two_keys() -> None:
    assert parse('{"a": true, "A": false}') == {"a": True, "A": False}


@pytest.mark.parametrize(("opening", "closing"), [("[", "]"), ('{"a":', "}")])
def test_nesting_is_taken_as_deep_as_go_takes_it(opening: str, closing: str) -> None:
    def nested(depth: int) -> str:
        return opening * depth + ("1" if opening != "[" else "") + closing * depth

    value: Value = parse(nested(MAX_DEPTH))
    assert value
    with pytest.raises(JSONError, match="nested deeper than 10000"):
        parse(nested(MAX_DEPTH + 1))


def test_a_path_stays_readable() -> None:
    assert child_path(child_path("", "podLabels"), "example.com/a") == 'podLabels["example.com/a"]'
    assert child_path("a[1]", "b") == "a[1].b"


def test_a_quoted_text_is_printable_and_short() -> None:
    assert quoted('a"\n\x1b\u2028') == '"a\\"\\n\\x1b\\u2028"'
    assert len(quoted("x" * 1000)) < 100
