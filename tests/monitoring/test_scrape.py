"""What a busy coordinator shows Prometheus: well named, bounded, and as the reference tells it."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING

import pytest
from prometheus_client.parser import text_string_to_metric_families

from agent_client.sidecar.metrics import metrics_text
from agent_client.sidecar.tally import Tally
from coordinator.core.happenings import Granted, HandedOver, Party, Reclaimed, Released
from coordinator.core.model import Cause, PodRef
from coordinator.service.metrics import Metrics
from coordinator.service.metrics_table import ALL, MANY_NODES, PER_NODE
from tests.api.fakes import FakePool
from tests.monitoring import busy
from tests.tools.programs import PROMTOOL, Tool, ToolError
from tests.tools.using import tool

if TYPE_CHECKING:
    from prometheus_client import Metric

    from coordinator.service.metrics_table import PerNode

pytestmark = pytest.mark.xdist_group("monitoring")
"""On one worker: each would start a coordinator of its own."""
BOUNDED = {
    *("namespace", "node", "kind", "reason", "verb", "resource", "code", "review", "result"),
    *("governed", "scope", "version", "le"),
}
"""The labels that there may be: none names a load, a claim, a Pod or a caller."""


@pytest.fixture(scope="module")
def promtool(tmp_path_factory: pytest.TempPathFactory) -> Tool:
    return tool(PROMTOOL, tmp_path_factory.mktemp("promtool"))


def samples(text: str) -> dict[str, set[tuple[str, ...]]]:
    """The label values of each sample, by its name."""
    found: dict[str, set[tuple[str, ...]]] = {}
    for family in text_string_to_metric_families(text):
        for one in family.samples:
            found.setdefault(one.name, set()).add(tuple(one.labels.values()))
    return found


def test_prometheus_finds_nothing_to_say_about_the_names(scrape: str, promtool: Tool) -> None:
    assert promtool(["check", "metrics"], scrape) == ""


def test_a_metric_that_is_ill_named_would_be_found(promtool: Tool) -> None:
    text = "# HELP nodeslots_waits Waits.\n# TYPE nodeslots_waits counter\nnodeslots_waits 1\n"
    with pytest.raises(ToolError, match="_total"):
        promtool(["check", "metrics"], text)


def test_prometheus_finds_nothing_to_say_about_the_sidecars_names(promtool: Tool) -> None:
    text = metrics_text(Tally(), 0, [], 0.0, up=True, version="0.1.0").decode()
    assert promtool(["check", "metrics"], text) == ""


def test_the_reference_tells_of_every_metric_and_no_other(scrape: str) -> None:
    told = {one.name: (one.kind, one.help, set(one.labels)) for one in ALL}
    seen = {}
    for family in _ours(scrape):
        name = f"{family.name}_total" if family.type == "counter" else family.name
        labels = {label for one in family.samples for label in one.labels if label != "le"}
        seen[name] = (family.type, family.documentation, labels)
    assert told.keys() == seen.keys()
    for name, (kind, text, labels) in seen.items():
        assert (kind, text) == told[name][:2]
        assert labels == told[name][2], name


def _ours(scrape: str) -> list[Metric]:
    """Without those of the process itself, which are the client library's."""
    found = text_string_to_metric_families(scrape)
    return [one for one in found if not one.name.startswith("process_")]


def test_no_label_names_a_load_a_claim_or_a_pod(scrape: str) -> None:
    for family in text_string_to_metric_families(scrape):
        for one in family.samples:
            assert one.labels.keys() <= BOUNDED, one
    for name in (busy.CLAIM, busy.LOAD, busy.POD):
        assert name not in scrape


def test_more_loads_make_no_more_series() -> None:
    metrics = Metrics()
    metrics.expect("velero")
    counts = []
    for number in (1, 500):
        for each in range(number):
            _live_once(metrics, f"load-{number}-{each}")
        counts.append(Counter({name: len(all_) for name, all_ in _shown(metrics).items()}))
    assert counts[0] == counts[1]


def _live_once(metrics: Metrics, load: str) -> None:
    party = Party(load, load, PodRef("velero", load, load))
    place = ("node1", "node1-slot-0", 0)
    metrics.happened("velero", Granted(*place, party, 1, 3.0))
    metrics.happened("velero", HandedOver(*place, party, party, 2, 3.0, 60.0, 0.01))
    metrics.happened("velero", Reclaimed(*place, party, Cause.EXPIRED, load))
    metrics.happened("velero", Released(*place, party, 60.0))


def _shown(metrics: Metrics) -> dict[str, set[tuple[str, ...]]]:
    return samples(metrics.render().decode())


@pytest.mark.parametrize(
    ("per_node", "nodes", "shown"),
    [
        ("auto", MANY_NODES - 1, True),
        ("auto", MANY_NODES, False),
        ("always", MANY_NODES, True),
        ("never", 3, False),
    ],
)
def test_each_node_has_series_of_its_own_only_where_they_are_few_or_asked_for(
    per_node: PerNode, nodes: int, *, shown: bool
) -> None:
    pool, metrics = FakePool(names=[f"node{number}" for number in range(nodes)]), Metrics(per_node)
    metrics.watch(lambda: [pool])
    found = _shown(metrics)
    for family in PER_NODE:
        assert len(found.get(family.name, ())) == (nodes if shown else 0)


def test_a_pool_has_its_sums_and_its_longest_wait_however_many_nodes_it_has() -> None:
    pool, metrics = FakePool(names=[f"node{number}" for number in range(1500)]), Metrics()
    metrics.watch(lambda: [pool])
    text = metrics.render().decode()
    for name in ("nodes", "limit", "slots_held", "queue_length", "nodes_waiting"):
        assert f'nodeslots_pool_{name}{{namespace="velero"}} 1500.0' in text
    assert 'nodeslots_pool_longest_queue{namespace="velero"} 1.0' in text
    assert len(text.splitlines()) < 500
