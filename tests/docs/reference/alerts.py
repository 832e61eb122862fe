"""docs/reference/alerts.md: the alerts that are shipped."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import yaml

from tests.docs.places import ROOT
from tests.docs.reference.tables import code, page, table

if TYPE_CHECKING:
    from collections.abc import Iterator

SOURCE = "deploy/monitoring/alerts/prometheusrule.yaml"


INTRO = f"""\
Those of [prometheusrule.yaml](../../{SOURCE}). `critical` wakes
somebody, `warning` is for working hours, `info` asks for nothing. Whoever holds a slot keeps it in
all of these. Each name leads to what to do ([operations](../operations.md#alerts))."""


def text() -> str:
    """The whole page."""
    return page("Alerts", f"`{SOURCE}`", _lines())


def _lines() -> Iterator[str]:
    yield from INTRO.splitlines()
    yield ""
    yield from table(["alert", "severity", "for", "says"], map(_row, _rules()))
    yield "## When each fires"
    yield ""
    yield from table(["alert", "expression"], [(r["alert"], code(_flat(r))) for r in _rules()])


def _rules() -> list[dict[str, Any]]:
    document = yaml.safe_load((ROOT / SOURCE).read_text("utf-8"))
    return [rule for group in document["spec"]["groups"] for rule in group["rules"]]


def _row(rule: dict[str, Any]) -> tuple[str, ...]:
    name = rule["alert"]
    return (
        f"[{name}](../operations.md#{name.lower()})",
        rule["labels"]["severity"],
        rule.get("for", "at once"),
        rule["annotations"]["summary"],
    )


def _flat(rule: dict[str, Any]) -> str:
    return " ".join(rule["expr"].split())
