"""A Pod that is deleted gives its slot back, and not before its load has really ended."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.kubelet.site import FIRST

if TYPE_CHECKING:
    from tests.kubelet.loads import Place
    from tests.kubelet.site import Site

pytestmark = pytest.mark.kubelet
FORCE = ("--grace-period=0", "--force")


@pytest.mark.parametrize(
    ("ttl", "how"),
    [
        pytest.param("600", (), id="with grace: its end is seen"),
        pytest.param("10", FORCE, id="by force: after its TTL"),
    ],
)
def test_the_next_load_starts_when_the_deleted_pods_load_has_ended(
    ttl: str, how: tuple[str, ...], site: Site, place: Place
) -> None:
    site.limit(1)
    site.kubectl.apply(place.pod("doomed", FIRST, "--ttl", ttl))
    place.journal.wait_started("doomed")
    load = site.kubectl.container("doomed", "restore")
    site.kubectl.apply(place.pod("next", FIRST))
    site.wait_waiting("next")
    site.kubectl("delete", "pod", "doomed", *how)
    place.journal.wait_started("next")
    assert not site.nodes[FIRST].pids(load)
    # By force it has two seconds; one that did not run in them was killed, and wrote nothing more.
    wrote_its_end = how != FORCE or bool(place.journal.terminated)
    events = ["start", "terminated", "start"] if wrote_its_end else ["start", "start"]
    assert [entry.event for entry in place.journal.entries] == events
    place.journal.end_all()
    site.wait_succeeded("next")


def test_a_pod_that_is_deleted_while_it_waits_leaves_the_queue(site: Site, place: Place) -> None:
    site.limit(1)
    site.kubectl.apply(place.pod("runs", FIRST))
    place.journal.wait_started("runs")
    for name in ("gives-up", "patient"):
        site.kubectl.apply(place.pod(name, FIRST))
        site.wait_waiting(name)
    site.kubectl("delete", "pod", "gives-up")
    place.journal.end_all()
    site.wait_succeeded("patient")
    assert place.journal.started == ["runs", "patient"]
