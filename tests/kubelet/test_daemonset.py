"""A node-agent that asks for slots itself, by the sidecar that a DaemonSet gives it."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.e2e.waiting import until
from tests.kubelet.site import FIRST

if TYPE_CHECKING:
    from tests.kubelet.loads import Place
    from tests.kubelet.site import Site

pytestmark = pytest.mark.kubelet


def test_a_node_agent_runs_as_many_loads_as_its_sidecar_has_slots(site: Site, place: Place) -> None:
    site.limit(2)
    site.kubectl.apply(place.daemonset("agent", FIRST, "one", "two", "three"))
    place.journal.wait_count(2)
    assert len(site.holders(FIRST)) == 2
    place.journal.end_all()
    place.journal.wait_count(3)
    until(lambda: not site.holders(), "every load gave its slot back; the Pod runs on")
    assert sorted(place.journal.started) == ["one", "three", "two"]
    assert place.journal.most_at_once(FIRST) == 2
