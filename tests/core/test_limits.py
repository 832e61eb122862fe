"""Which slots a node gets, and what is said about it."""

import json
import re
from typing import Any

import pytest

from coordinator.core.limits import (
    DEFAULT_RULES,
    ConfigRefused,
    Fallback,
    LimitRules,
    Rule,
    read_config,
)

NODE1 = {"kubernetes.io/hostname": "node1", "beta.kubernetes.io/instance-type": "Standard_B4ms"}
SAMPLE = """{"loadConcurrency": {"globalConfig": 2, "perNodeConfig": [
  {"nodeSelector": {"matchLabels": {"kubernetes.io/hostname": "node1"}}, "number": 3},
  {"nodeSelector": {"matchLabels": {"beta.kubernetes.io/instance-type": "Standard_B4ms"}},
   "number": 5}]}}"""


def read(text: str) -> LimitRules:
    return read_config({"any-name.json": text})


def concurrency(**fields: Any) -> LimitRules:
    return read(json.dumps({"loadConcurrency": fields}))


def on(labels: dict[str, str] | None = None, number: int = 3, **more: Any) -> dict[str, Any]:
    return {"nodeSelector": {"matchLabels": labels or {}}, "number": number, **more}


def told(rules: LimitRules) -> str:
    return "\n".join(map(str, rules.warnings))


def rule_of(decided: Rule | Fallback) -> Rule:
    assert isinstance(decided, Rule)
    return decided


def test_the_smallest_number_of_the_matching_rules_wins() -> None:
    rules = read(SAMPLE)
    found = rules.resolve(NODE1)
    assert found.limit == 3
    assert rule_of(found.decided_by).index == 0
    assert [rule.index for rule in found.matched] == [0, 1]
    assert rules.skipped(NODE1) == ()
    assert found.why == "perNodeConfig[0] kubernetes.io/hostname=node1"


def test_the_number_decides_and_not_the_place_in_the_file() -> None:
    found = concurrency(perNodeConfig=[on(number=9), on(NODE1, 2), on(number=2)]).resolve(NODE1)
    assert found.limit == 2
    assert rule_of(found.decided_by).index == 1
    assert [rule.index for rule in found.matched] == [0, 1, 2]


def test_a_rule_beats_the_global_number_upwards_too() -> None:
    rules = concurrency(globalConfig=2, perNodeConfig=[on(NODE1, 50)])
    assert rules.resolve(NODE1).limit == 50


def test_a_node_that_no_rule_matches_gets_the_global_number() -> None:
    rules, node2 = read(SAMPLE), {"kubernetes.io/hostname": "node2"}
    found = rules.resolve(node2)
    assert (found.limit, found.decided_by, found.matched) == (2, Fallback.GLOBAL, ())
    assert found.why == "globalConfig"
    first, second = (skipped.reason for skipped in rules.skipped(node2))
    assert first.startswith("not matching: the node has kubernetes.io/hostname=node2")
    assert second.startswith("not matching: the node has no label beta.kubernetes.io/instance-type")


@pytest.mark.parametrize(
    "text",
    ["{}", "null", '{"loadConcurrency": null}', '{"loadConcurrency": {"globalConfig": null}}'],
)
def test_without_a_number_every_node_gets_one_slot(text: str) -> None:
    found = read(text).resolve(NODE1)
    assert (found.limit, found.decided_by) == (1, Fallback.DEFAULT)
    assert read(text).warnings == ()


@pytest.mark.parametrize("number", [0, -1, -(2**63)])
def test_a_global_number_below_one_counts_as_one_and_is_told(number: int) -> None:
    rules = concurrency(globalConfig=number)
    assert (rules.resolve({}).limit, rules.origin) == (1, Fallback.DEFAULT)
    assert "loadConcurrency.globalConfig" in told(rules)


def test_no_configmap_means_one_slot() -> None:
    assert DEFAULT_RULES.resolve(NODE1).limit == 1
    assert read("{}") == DEFAULT_RULES


def test_there_is_no_upper_bound_for_the_global_number() -> None:
    assert concurrency(globalConfig=2**63 - 1).resolve({}).limit == 2**63 - 1


@pytest.mark.parametrize("rule", [{"number": 4}, {"nodeSelector": {}, "number": 4}, on(number=4)])
def test_an_empty_or_missing_selector_matches_every_node(rule: dict[str, Any]) -> None:
    found = concurrency(globalConfig=2, perNodeConfig=[rule]).resolve({})
    assert found.limit == 4
    assert rule_of(found.decided_by).text == "everything"


def test_an_empty_label_is_not_a_missing_one() -> None:
    rules = concurrency(globalConfig=2, perNodeConfig=[on({"role": ""}, 7)])
    assert rules.resolve({"role": ""}).limit == 7
    assert rules.resolve({}).limit == 2


@pytest.mark.parametrize(
    ("rule", "why"),
    [
        (on(number=0), "number is 0; it must be above 0"),
        (on(number=-7), "number is -7"),
        ({"nodeSelector": {}}, "it has no number"),
        (None, "it has no number"),
        (on({"a b": "c"}), 'Kubernetes refuses its selector: the label key "a b"'),
        (on({"a": "é"}), "Kubernetes refuses its selector: "),
        # Velero starts its search for the smallest number at MaxInt32 and looks for a smaller one.
        (on(number=2**31 - 1), "Velero takes 2147483647 and more for no number"),
        (on(number=2**40), "Velero takes 2147483647 and more for no number"),
    ],
)
def test_a_void_rule_is_skipped_with_a_warning_and_the_others_count(rule: Any, why: str) -> None:
    rules = concurrency(globalConfig=9, perNodeConfig=[rule, on(number=5)])
    found = rules.resolve({})
    assert (found.limit, [m.index for m in found.matched]) == (5, [1])
    assert why in rules.skipped({})[0].reason
    assert "loadConcurrency.perNodeConfig[0]: this rule is skipped" in told(rules)
    assert why in told(rules)
    assert concurrency(globalConfig=9, perNodeConfig=[rule]).resolve({}).limit == 9


def test_the_largest_number_that_velero_sees_counts() -> None:
    assert concurrency(perNodeConfig=[on(number=2**31 - 2)]).resolve({}).limit == 2**31 - 2


def test_many_rules_are_told_apart_by_their_labels() -> None:
    rules = concurrency(
        globalConfig=1,
        perNodeConfig=[on({"kubernetes.io/hostname": f"n{i}"}, i + 10) for i in range(50)]
        + [{"nodeSelector": {"matchExpressions": [{"key": "zone", "operator": "In",
            "values": ["a", "b"]}, {"key": "old", "operator": "DoesNotExist"}]}, "number": 12}],
    )  # fmt: skip
    for i in range(50):
        assert rules.resolve({"kubernetes.io/hostname": f"n{i}"}).limit == i + 10
        zoned = {"kubernetes.io/hostname": f"n{i}", "zone": "b"}
        assert rules.resolve(zoned).limit == min(i + 10, 12)
        assert rules.resolve({**zoned, "old": ""}).limit == i + 10


@pytest.mark.parametrize(
    ("data", "told"),
    [
        (None, "has no data"),
        ({}, "has no data"),
        ({"a": "{}", "b": "{}"}, r'2 data keys \("a", "b"\)'),
        ({"a": ""}, "not JSON"),
    ],
)
def test_a_configmap_has_exactly_one_text(data: dict[str, str] | None, told: str) -> None:
    with pytest.raises(ConfigRefused, match=told):
        read_config(data)


def test_a_refusal_names_the_place_and_what_is_needed() -> None:
    text = '{"loadConcurrency": {"perNodeConfig": [{"number": 1}, {"number": "3"}]}}'
    with pytest.raises(ConfigRefused) as refused:
        read(text)
    assert refused.value.path == "loadConcurrency.perNodeConfig[1].number"
    assert refused.value.reason == '"3" is a string, an integer is needed'
    assert str(refused.value) == f"{refused.value.path}: {refused.value.reason}"


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ('{"loadConcurency": {}}', 'loadConcurency: .*did you mean "loadConcurrency"'),
        ('{"loadConcurrency ": {}}', 'did you mean "loadConcurrency"'),
        ('{"loadConcurrency": {"globalconf": 3}}', 'did you mean "globalConfig"'),
        ('{"globalConfig": 3}', '"globalConfig" belongs inside "loadConcurrency"'),
        ('{"loadConcurrency": {"perNodeConfig": [{"matchLabels": {"a": "b"}, "number": 3}]}}',
         r'perNodeConfig\[0\]\.matchLabels: .* belongs inside "nodeSelector"'),
        ('{"loadAffinity": [{"nodeSelector": {"matchExpressions": [{"keys": "a", "key": "a"}]}}]}',
         r'matchExpressions\[0\]\.keys: .* did you mean "key"'),
        ('{"apiVersion": 1}', "apiVersion: unknown key, ignored$"),
    ],
)  # fmt: skip
def test_an_unknown_key_is_told_with_what_was_likely_meant(text: str, told: str) -> None:
    (warning,) = read(text).warnings
    assert re.search(told, str(warning))


def test_a_good_file_has_no_warnings() -> None:
    assert read(SAMPLE).warnings == ()


def test_rules_that_say_the_same_are_equal() -> None:
    assert read(SAMPLE) == read(SAMPLE)
    assert hash(read(SAMPLE)) == hash(read(SAMPLE))
    assert read(SAMPLE) != read(SAMPLE.replace("3", "4"))
