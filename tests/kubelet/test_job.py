"""A Job of many Pods runs as many loads of a node as it has slots; the others wait and say why."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.e2e.waiting import until
from tests.kubelet.site import FIRST, SECOND

if TYPE_CHECKING:
    from tests.kubelet.loads import Place
    from tests.kubelet.site import Site

pytestmark = pytest.mark.kubelet
WAITING, RUNNING = "Init:0/1", "Running"


def test_of_six_pods_two_run_the_others_wait_as_init_and_all_complete(
    site: Site, place: Place
) -> None:
    site.limit(2)
    site.kubectl.apply(place.job("six", FIRST, 6))
    place.journal.wait_count(2)
    until(
        lambda: sorted(site.printed_status("six").values()) == 4 * [WAITING] + 2 * [RUNNING],
        f"kubectl get pods shows who waits: {site.printed_status('six')}",
    )
    place.journal.end_all()
    site.wait_complete("six")
    assert place.journal.most_at_once(FIRST) == 2
    assert len(place.journal.started) == len(set(place.journal.started)) == 6
    until(lambda: not site.holders(), "no holder is left")


def test_a_pod_that_waits_says_for_whom_in_its_log_and_on_request(site: Site, place: Place) -> None:
    site.limit(1)
    site.kubectl.apply(place.job("two", FIRST, 2))
    place.journal.wait_count(1)
    (running,) = place.journal.running
    (waiting,) = until(lambda: site.pods_of("two").keys() - {running}, "the other Pod is made")
    told = until(
        lambda: [line for line in site.hold_log(waiting) if running in line],
        f"the log names the holder: {site.hold_log(waiting)}",
    )
    assert "position 1" in told[-1]
    assert running in site.hold_status(waiting)
    place.journal.end_all()
    site.wait_complete("two")


def test_a_limit_that_is_raised_starts_more_and_one_that_is_lowered_stops_nothing(
    site: Site, place: Place
) -> None:
    site.limit(1)
    site.kubectl.apply(place.job("five", FIRST, 5))
    place.journal.wait_count(1)
    site.limit(3)
    place.journal.wait_count(3)
    site.limit(1)
    (waiting, *_) = until(lambda: site.pods_of("five").keys() - place.journal.running, "one waits")
    until(lambda: "its limit of 1" in site.hold_status(waiting), "the coordinator has read it")
    assert len(place.journal.running) == 3, "a shrinking limit evicts nobody"
    first, second, _ = place.journal.started
    place.journal.end(first)
    place.journal.end(second)
    until(lambda: len(site.holders(FIRST)) == 1, "two of three gave their slots back")
    assert len(place.journal.started) == 3, "still one runs, and one may"
    place.journal.end_all()
    site.wait_complete("five")
    assert place.journal.most_at_once(FIRST) == 3


def test_each_node_has_its_own_limit(site: Site, place: Place) -> None:
    site.limit(1, 2)
    site.kubectl.apply(place.job("here", FIRST, 3), place.job("there", SECOND, 3))
    place.journal.wait_count(3)
    place.journal.end_all()
    site.wait_complete("here")
    site.wait_complete("there")
    assert (place.journal.most_at_once(FIRST), place.journal.most_at_once(SECOND)) == (1, 2)
