"""The limit changes while a backup runs, and counts from then on."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.e2e.waiting import until
from tests.velero.midst import midst

if TYPE_CHECKING:
    from tests.velero.site import Site

pytestmark = pytest.mark.velero


def test_a_raised_limit_starts_movers_and_a_lowered_one_stops_none_and_starts_none(
    site: Site,
) -> None:
    with midst(site, "changed", limit=1, pods=3, volumes=2) as movers:
        site.limit(3)
        early = movers.wait_running(3)
        site.limit(1)
        until(lambda: site.told_limit() == 1, "the coordinator has read it")
        assert movers.running() == early, "a lowered limit evicts nobody"
    assert site.velero.wait("backup", "changed") == "Completed"
    movers.wait_ended()
    assert movers.most_at_once() == 3
    late = [run for run in movers.runs() if run.pod not in early]
    assert [movers.beside(run) for run in late] == [0, 0, 0], "one after the other"
