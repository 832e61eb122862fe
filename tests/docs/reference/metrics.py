"""docs/reference/metrics.md: every metric, from the table that the coordinator makes them of."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from agent_client.sidecar.metrics import metrics_text
from agent_client.sidecar.tally import Tally
from coordinator.service.metrics_table import ALL, KEPT, PER_NODE, PER_POOL
from tests.docs.reference.tables import code, page, table

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from coordinator.service.metrics_table import Family

INTRO = """\
`GET /metrics` on the coordinator's port 8443 shows them in Prometheus' text format, to whoever may
`get` the nonResourceURL `/metrics` ([security](../security.md#who-may-do-what)); beside them stand
Python's own `process_*`. No label names a load, a claim or a Pod. What is worth an alert:
[alerts](alerts.md); a dashboard is in [deploy/monitoring](../../deploy/monitoring).

## Of each replica
"""
POOLS = """\
## Of each pool

Shown by the replica that leads.
"""
NODES = """\
## Of each node

The same by node: `--metrics-per-node` tells whether they are shown. `auto`, the default, leaves
them out of pools of 1,000 nodes and more, where five series a node would be many.
"""
SIDECAR = """\
## Of the sidecar

`slot-agent sidecar --health-listen` serves them at `/metrics`, without a token.
"""
_HEAD = re.compile(r"^# HELP (\S+) (.*)\n# TYPE \S+ (\S+)$", re.MULTILINE)


def text() -> str:
    """The whole page."""
    source = "`coordinator/service/metrics_table.py` and a sidecar's own answer"
    return page("Metrics", source, _lines())


def names() -> set[str]:
    """Every name that a query may use, the parts of a histogram included."""
    found: set[tuple[str, str]] = {(family.name, family.kind) for family in ALL}
    found |= {(name, kind) for name, _, kind in _sidecar()}
    parts = ("_bucket", "_count", "_sum")
    histograms = {name + part for name, kind in found if kind == "histogram" for part in parts}
    return {name for name, _ in found} | histograms


def _lines() -> Iterator[str]:
    own = [family for family in ALL if family not in (*PER_POOL, *PER_NODE)]
    assert set(KEPT) <= set(own)
    for intro, families in ((INTRO, own), (POOLS, PER_POOL), (NODES, PER_NODE)):
        yield from intro.splitlines()
        yield ""
        yield from _table(families)
    yield from SIDECAR.splitlines()
    yield ""
    rows = [(code(name), kind, what) for name, what, kind in _sidecar()]
    yield from table(["metric", "kind", ""], rows)


def _table(families: Iterable[Family]) -> list[str]:
    rows = [
        (code(one.name), one.kind, ", ".join(one.labels), one.help + _buckets(one))
        for one in families
    ]
    return table(["metric", "kind", "labels", ""], rows)


def _buckets(family: Family) -> str:
    told = ", ".join(f"{bound:g}" for bound in family.buckets)
    return f" Buckets, in seconds: {told}." if told else ""


def _sidecar() -> list[tuple[str, str, str]]:
    """Name, help and kind, from what one shows that has done nothing yet."""
    shown = metrics_text(Tally(), 0, [], 0.0, up=True, version="")
    return _HEAD.findall(shown.decode())
