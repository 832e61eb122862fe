"""What a refused text is told: which line and column, and what stands there, word for word."""

import pytest

from coordinator.core.gojson import JSONError, parse, quoted


def refusal(text: str) -> str:
    with pytest.raises(JSONError) as refused:
        parse(text)
    assert refused.value.path == ""
    return str(refused.value)


@pytest.mark.parametrize(
    ("text", "place"),
    [
        ("x", "line 1, column 1"),
        ("\nx", "line 2, column 1"),
        ("\n\n\n x", "line 4, column 2"),
        ('{\n\n"a":\n  x\n\n}', "line 4, column 3"),
    ],
)
def test_lines_and_columns_count_from_the_last_newline_before_the_mistake(
    text: str, place: str
) -> None:
    assert refusal(text).startswith(f"not JSON: {place}: a value is needed, found ")


@pytest.mark.parametrize(
    ("text", "found"),
    [
        (r'"\x"', "a string with a backslash that begins no JSON escape"),
        ('"abc', "a string that is not closed"),
        ('"', "a string that is not closed"),
        ('"a\x1fb"', r"a string with the raw control character \x1f; write it as an escape"),
        ('"a\nb"', r"a string with the raw control character \n; write it as an escape"),
    ],
)
def test_a_broken_string_is_told_with_what_broke_it(text: str, found: str) -> None:
    assert refusal(text) == f"not JSON: line 1, column 1: a value is needed, found {found}"


def test_a_good_string_in_the_wrong_place_is_just_a_string() -> None:
    told = "not JSON: line 1, column 6: ',' or ']' is needed, found a string"
    assert refusal('["a" "b"]') == told


def test_what_was_found_is_told_in_twenty_characters() -> None:
    assert refusal("y" * 50).endswith(f'found "{"y" * 20}"')


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("a" * 80, "a" * 80),
        ("a" * 81, "a" * 77 + "..."),
        ("a\\b", r"a\\b"),
        ('a"b', r"a\"b"),
    ],
)
def test_a_quoted_text_is_whole_up_to_eighty_characters(text: str, shown: str) -> None:
    assert quoted(text) == f'"{shown}"'


@pytest.mark.parametrize(("path", "text"), [("", "too deep"), ("a[1]", "a[1]: too deep")])
def test_a_refusal_begins_with_its_path_where_it_has_one(path: str, text: str) -> None:
    assert str(JSONError(path, "too deep")) == text


@pytest.mark.parametrize(
    ("written", "read"),
    [
        (r'"\ud7ff"', "\ud7ff"),
        (r'"\ud800"', "\ufffd"),
        (r'"\udfff"', "\ufffd"),
        (r'"\ue000"', "\ue000"),
    ],
)
def test_the_surrogates_are_those_from_d800_to_dfff(written: str, read: str) -> None:
    assert parse(written) == read


def test_a_text_that_is_nested_too_deep_is_refused_where_it_gets_too_deep() -> None:
    assert refusal("\n" + "[" * 10_001) == "line 2, column 10001: nested deeper than 10000"
