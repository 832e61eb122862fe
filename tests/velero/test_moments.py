"""From what watches tell to when data moved and slots were granted."""

from __future__ import annotations

from typing import Any

from tests.velero.measure import Job
from tests.velero.moments import Moments

WAITED = Job("pvb", 1, 3, 9)


def events(*reasons: str) -> dict[str, Any]:
    return {
        str(number): {"involvedObject": {"name": "pvb"}, "reason": reason}
        for number, reason in enumerate(reasons)
    }


def lease(holder: str, name: str = "node-slot-0") -> dict[str, Any]:
    return {name: {"metadata": {"name": name}, "spec": {"holderIdentity": holder}}}


def test_data_moves_from_when_it_is_first_heard_of_to_its_end() -> None:
    heard = Moments()
    heard.hear_events(events("Scheduled", "Data-Path-Started"), 4)
    heard.hear_events(events("Scheduled", "Data-Path-Started"), 5)
    assert heard.work(WAITED) == Job("pvb", 1, 4)
    heard.hear_events(events("Scheduled", "Data-Path-Started", "Data-Path-Completed"), 8)
    assert heard.work(WAITED) == Job("pvb", 1, 4, 8)
    assert heard.work(Job("other", 2)) == Job("other", 2)


def test_every_new_holder_of_a_lease_is_a_grant_and_a_renewal_is_none() -> None:
    heard = Moments()
    for now, holder in enumerate(["", "a/a", "a/a", "", "b/b", "a/a"]):
        heard.hear_leases(lease(holder) | lease("me", "node-slots-coordinator"), now)
    assert heard.grants == {"node-slot-0": [("a", 1), ("b", 4), ("a", 5)]}
