"""An upgrade: all replicas are replaced under load, and no slot is lost."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.e2e.waiting import until
from tests.kubelet.site import DEPLOYMENT, FIRST, SECOND

if TYPE_CHECKING:
    from tests.kubelet.loads import Place
    from tests.kubelet.site import Site

pytestmark = pytest.mark.kubelet


def test_a_rolling_restart_under_load_loses_no_slot(site: Site, place: Place) -> None:
    site.limit(2, 2)
    site.kubectl.apply(place.job("here", FIRST, 4), place.job("there", SECOND, 4))
    place.journal.wait_count(4)
    before, old = site.slots(), {pod["metadata"]["name"] for pod in site.coordinators()}
    site.kubectl("rollout", "restart", DEPLOYMENT)
    site.kubectl.wait_rolled_out(DEPLOYMENT)
    assert not old & {pod["metadata"]["name"] for pod in site.coordinators()}
    assert site.slots() == before, "every holder, and every fencing token"
    assert len(place.journal.started) == 4, "and nobody else started meanwhile"
    place.journal.end_all()
    site.wait_complete("here")
    site.wait_complete("there")
    assert not place.journal.terminated
    assert len(set(place.journal.started)) == len(place.journal.started) == 8
    assert [place.journal.most_at_once(node) for node in (FIRST, SECOND)] == [2, 2]
    until(lambda: not site.holders(), "no holder is left")
