"""Rules found by index and by likeness decide what trying each one would."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from hypothesis import given
from hypothesis import strategies as st

from coordinator.core import limits
from coordinator.core.limits import LimitRules, Rule, read_config

if TYPE_CHECKING:
    import pytest

KEYS = st.sampled_from("abcd")
VALUES = st.sampled_from(["", "x", "y", "z"])
LABELS = st.dictionaries(KEYS | st.just("other"), VALUES | st.just("unheard-of"))
EXPRESSIONS = st.one_of(
    st.fixed_dictionaries({
        "key": KEYS,
        "operator": st.sampled_from(["In", "NotIn"]),
        "values": st.lists(VALUES, min_size=1, max_size=3),
    }),
    st.fixed_dictionaries({
        "key": KEYS, "operator": st.sampled_from(["Exists", "DoesNotExist"]),
    }),
)  # fmt: skip
SELECTORS = st.fixed_dictionaries(
    {}, optional={"matchLabels": st.dictionaries(KEYS, VALUES, max_size=2),
                  "matchExpressions": st.lists(EXPRESSIONS, max_size=3)},
)  # fmt: skip
RULES = st.lists(
    st.fixed_dictionaries({"nodeSelector": SELECTORS, "number": st.integers(-1, 5)}), max_size=8
)


def read(rules: list[dict[str, Any]]) -> LimitRules:
    text = json.dumps({"loadConcurrency": {"globalConfig": 7, "perNodeConfig": rules}})
    return read_config({"limits": text})


def tried_one_by_one(rules: LimitRules, labels: dict[str, str]) -> tuple[int, object, list[Rule]]:
    """The definition: every rule that counts is held against the labels, the smallest number wins
    and the first of equal ones decides.
    """
    matched = [r for r in rules.rules if not r.void and r.selector and r.selector.matches(labels)]
    deciding = min(matched, key=lambda rule: rule.number, default=None)
    if deciding is None:
        return rules.limit, rules.origin, []
    return deciding.number, deciding, matched


def resolved(rules: LimitRules, labels: dict[str, str]) -> tuple[int, object, list[Rule]]:
    found = rules.resolve(labels)
    return found.limit, found.decided_by, list(found.matched)


@given(RULES, st.lists(LABELS, min_size=1, max_size=12))
def test_every_node_gets_what_trying_each_rule_would_give(
    rules: list[dict[str, Any]], nodes: list[dict[str, str]]
) -> None:
    """Also one that is like an earlier node: what is remembered of that one is its answer too."""
    ours = read(rules)
    for labels in nodes:
        assert resolved(ours, labels) == tried_one_by_one(ours, labels)


def test_nodes_that_differ_only_in_what_no_rule_names_share_an_answer() -> None:
    rules = read([{"nodeSelector": {"matchLabels": {"a": "x"}}, "number": 3}])
    first = rules.resolve({"a": "x", "hostname": "one"})
    assert rules.resolve({"a": "x", "hostname": "two"}) is first
    assert rules.resolve({"a": "y"}) is rules.resolve({"a": "z"})
    assert rules.resolve({"a": "y"}) is not first


def test_what_is_remembered_of_nodes_is_bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(limits, "REMEMBERED", 2_000)
    each = [{"nodeSelector": {"matchLabels": {"a": f"v{i}"}}, "number": i + 1} for i in range(50)]
    rules = read(each)
    for i in range(50):
        labels = {"a": f"v{i}"}
        assert rules.resolve(labels).limit == i + 1
        assert len(rules._known) <= 2_000 // 50
