"""What a text of limits would change, as lines for people. Pure."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from coordinator.kubectl.status import split_rule
from coordinator.kubectl.table import count, plain, table

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    Preview = Mapping[str, Any]

CHANGED = ("NODE", "FROM", "TO", "HELD", "OVER", "RULE")
RULES = ("RULE", "NUMBER", "MATCHES", "DECIDES", "SELECTOR")
MOST = 40
"""Nodes that are named; of more the first ones, and how many there are."""


def preview_lines(name: str, told: Preview) -> list[str]:
    """The preview as `POST preview` answers it, of the file `name`."""
    if not told["accepted"]:
        return [f"{name}: refused", f"  {plain(str(told['error']))}"]
    lines = [f"{name}: accepted; {_sum(told)}"]
    lines += [f"  warning: {plain(str(warning))}" for warning in told["warnings"]]
    lines += [f"  warning: {plain(str(rule))} matches no node" for rule in told["unmatched"]]
    return [*lines, *_rules(told), *_changed(told)]


def _sum(told: Preview) -> str:
    changed, nodes = int(told["changedCount"]), count(int(told["nodes"]), "node")
    if not changed:
        return f"no limit of {nodes} changes"
    over, change = told["overLimit"], f"limits of {changed:,} of {nodes} change"
    if not over["holders"]:
        return f"{change}, nobody would be over the limit"
    where = count(int(over["nodes"]), "node")
    holders = count(int(over["holders"]), "holder")
    return f"{change}; {holders} on {where} would be over the limit, and would keep their slots"


def _rules(told: Preview) -> Iterator[str]:
    rows = [
        (
            split_rule(str(one["rule"]))[0],
            one["number"],
            one["matches"],
            one["decides"],
            one["selector"],
        )
        for one in told["rules"]
    ]
    if rows:
        yield ""
        yield from table(RULES, rows)


def _changed(told: Preview) -> Iterator[str]:
    rows = [
        (
            one["node"],
            one["from"],
            one["to"],
            one["held"],
            one["over"],
            split_rule(str(one["decidedBy"]))[0],
        )
        for one in told["changed"][:MOST]
    ]
    if rows:
        yield ""
        yield from table(CHANGED, rows)
    if left := int(told["changedCount"]) - len(rows):
        yield f"and {count(left, 'node')} more; -o json names 500"
