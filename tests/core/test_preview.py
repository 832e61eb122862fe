"""Rules held against nodes: what would change, who is past the limit, what matches nothing."""

from __future__ import annotations

from coordinator.core.limits import read_config
from coordinator.core.preview import MOST_NAMED, Preview

TEXT = """{"loadConcurrency": {"globalConfig": 3, "perNodeConfig": [
    {"nodeSelector": {"matchLabels": {"disk": "fast"}}, "number": 8},
    {"nodeSelector": {"matchLabels": {"size": "small"}}, "number": 1},
    {"nodeSelector": {"matchLabels": {"disk": "none"}}, "number": 2},
    {"nodeSelector": {"matchLabels": {"disk": "fast"}}, "number": 0}]}}"""


def made(*nodes: tuple[str, dict[str, str], int, int]) -> Preview:
    found = Preview(read_config({"limits.json": TEXT}))
    for node in nodes:
        found.add(*node)
    return found


def test_rules_match_and_decide() -> None:
    found = made(
        ("n1", {"disk": "fast"}, 1, 0),
        ("n2", {"disk": "fast", "size": "small"}, 1, 0),
        ("n3", {}, 3, 0),
    )
    assert [(one.matches, one.decides) for one in found.uses] == [(2, 1), (1, 1), (0, 0), (0, 0)]
    assert [(one.node, one.before, one.after) for one in found.changed] == [("n1", 1, 8)]


def test_a_rule_that_counts_for_no_node_at_all_is_warned_of_and_not_unmatched() -> None:
    found = made(("n1", {"disk": "fast"}, 8, 0))
    assert [rule.index for rule in found.unmatched] == [1, 2]
    assert len(found.rules.warnings) == 1


def test_holders_past_the_limit_are_counted_also_where_the_limit_stays() -> None:
    found = made(("n1", {}, 3, 5), ("n2", {"size": "small"}, 4, 3), ("n3", {}, 9, 3))
    assert (found.over_nodes, found.over_holders) == (2, 4)
    assert [(one.node, one.over) for one in found.changed] == [("n2", 2), ("n3", 0)]


def test_of_many_changes_the_first_are_named_and_all_are_counted() -> None:
    found = made(*((f"n{n}", {}, 1, 0) for n in range(MOST_NAMED + 7)))
    assert (len(found.changed), found.changed_count, found.nodes) == (500, 507, 507)
    assert found.changed[-1].node == "n499"
