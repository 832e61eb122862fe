"""What the reading of a ConfigMap says, word for word, and the borders of its rules."""

from __future__ import annotations

import json
from typing import Any, cast

import pytest

from coordinator.core.limits import ConfigRefused, Fallback, LimitRules, read_config
from coordinator.core.selectors import SelectorError, read_selector, selector_text
from coordinator.core.shapes import Remark, fold


def read(text: str) -> LimitRules:
    return read_config({"a": text})


def refusal(data: Any) -> ConfigRefused:
    with pytest.raises(ConfigRefused) as refused:
        read_config(data)
    return refused.value


def warnings(text: str) -> list[str]:
    return [str(warning) for warning in read(text).warnings]


@pytest.mark.parametrize(
    ("data", "reason"),
    [
        ({}, "the ConfigMap has no data; create it with kubectl create cm NAME --from-file=FILE"),
        ({"b": "", "a": ""}, 'the ConfigMap has 2 data keys ("a", "b"); keep only one'),
        ({"a": 3}, 'the value of the data key "a" is not a text'),
    ],
)
def test_a_configmap_without_its_one_text_is_refused_as_a_whole(data: Any, reason: str) -> None:
    refused = refusal(data)
    assert (refused.path, refused.reason, str(refused)) == ("", reason, reason)


def test_a_global_number_of_one_is_what_the_file_says_and_no_default() -> None:
    assert read('{"loadConcurrency": {"globalConfig": 1}}').origin is Fallback.GLOBAL


def test_a_global_number_that_does_not_count_is_told_with_what_holds() -> None:
    (told,) = warnings('{"loadConcurrency": {"globalConfig": -2}}')
    assert told == ("loadConcurrency.globalConfig: -2 is not above 0; the default of 1 is used")


def test_a_rule_without_a_number_is_told_so() -> None:
    (told,) = warnings('{"loadConcurrency": {"perNodeConfig": [{}]}}')
    place = "loadConcurrency.perNodeConfig[0]"
    reason = "it has no number; it must be above 0"
    assert told == f"{place}: this rule is skipped (everything): {reason}"


def test_a_node_that_a_rule_matches_is_told_why_the_others_do_not() -> None:
    rules = [
        {"nodeSelector": {"matchLabels": {"disk": disk}}, "number": 3} for disk in ("hdd", "ssd")
    ]
    text = json.dumps({"loadConcurrency": {"perNodeConfig": rules}})
    (skipped,) = read(text).skipped({"disk": "ssd"})
    assert skipped.reason == "not matching: the node has disk=ssd (disk=hdd)"


@pytest.mark.parametrize(
    ("value", "is_a"),
    [
        ("true", "true is a bool"),
        ("false", "false is a bool"),
        ('"3"', '"3" is a string'),
        ("[1]", "this is a list"),
        ('{"a": 1}', "this is an object"),
        ("2.0", "2.0 is no integer"),
        ("1" * 37 + ".00", "1" * 37 + ".00 is no integer"),
        ("1" * 38 + ".00", "1" * 37 + "... is no integer"),
    ],
)
def test_a_wrong_type_is_told_as_what_it_is(value: str, is_a: str) -> None:
    text = f'{{"loadConcurrency": {{"globalConfig": {value}}}}}'
    refused = refusal({"a": text})
    assert refused.path == "loadConcurrency.globalConfig"
    assert refused.reason == f"{is_a}, an integer is needed"


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ('{"priorityClassName": -3}', "-3 is a number, a string is needed"),
        ('{"loadAffinity": -0.5}', "-0.5 is no integer, a list is needed"),
        ('{"podLabels": "x"}', '"x" is a string, an object is needed'),
        ('{"podResources": []}', "this is a list, an object is needed"),
        ('{"privilegedFsBackup": {}}', "this is an object, true or false is needed"),
    ],
)
def test_every_type_says_what_it_needs(text: str, reason: str) -> None:
    assert refusal({"a": text}).reason == reason


def test_an_int_past_64_bits_is_told_with_its_place() -> None:
    refused = refusal({"a": f'{{"loadConcurrency": {{"globalConfig": {2**63}}}}}'})
    assert refused.path == "loadConcurrency.globalConfig"
    assert refused.reason == f"{2**63} is a number and does not fit into 64 bits"


def test_a_field_of_a_lists_entries_is_told_to_belong_there() -> None:
    (told,) = warnings('{"loadConcurrency": {"number": 3}}')
    assert told.endswith('unknown key, ignored; "number" belongs inside "perNodeConfig"')


@pytest.mark.parametrize("key", ["loadLimits", "nodes"])
def test_a_key_that_is_hardly_like_a_field_gets_no_guess(key: str) -> None:
    assert warnings(f'{{"{key}": 1}}') == [f"{key}: unknown key, ignored"]


def test_only_ascii_letters_fold() -> None:
    assert fold("GlobalConfig\u00c9") == "globalconfig\u00c9"


@pytest.mark.parametrize(("path", "text"), [("", "odd"), ("a.b", "a.b: odd")])
def test_a_remark_begins_with_its_path_where_it_has_one(path: str, text: str) -> None:
    assert str(Remark(path, "odd")) == text


@pytest.mark.parametrize(
    ("expression", "why"),
    [
        (
            {"key": "disk"},
            '"" is no operator; In, NotIn, Exists, DoesNotExist are, spelled exactly so',
        ),
        ({"operator": "Exists"}, 'the label key "" is not valid: .*'),
    ],
)
def test_an_expression_without_its_parts_is_refused(expression: Any, why: str) -> None:
    with pytest.raises(SelectorError, match=f"^{why}$"):
        read_selector({"matchExpressions": [cast("Any", expression)]})


@pytest.mark.parametrize("length", [80, 81])
def test_a_long_word_in_a_selectors_name_is_cut(length: int) -> None:
    whole = selector_text({"matchLabels": {"a": "b" * length}}) == "a=" + "b" * length
    assert whole == (length == 80)
