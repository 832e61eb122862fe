"""Whose a claim is stands in its Lease, goes with it, and is unknown in older ones."""

from __future__ import annotations

from dataclasses import replace

import orjson

from coordinator.core.model import Holder
from coordinator.kube.records import parse, render_free, render_grant, render_refresh
from tests.kube.test_records import BASE, HELD, TERMS, WALL, stored


def test_the_owner_is_written_with_the_grant_and_goes_with_the_claim() -> None:
    owned = replace(TERMS, owner="velero/node-agent")
    body = render_grant(BASE, "node1", "c-1", owned, WALL)
    notes = orjson.loads(body)["metadata"]["annotations"]
    assert notes["nodeslots.io/owner"] == "velero/node-agent"
    lease = stored(body)
    assert lease.holder == Holder("c-1", owned, 41, WALL)
    freed = orjson.loads(render_free(lease, "node1"))
    assert freed["metadata"]["annotations"] == {"nodeslots.io/node": "node1"}


def test_a_lease_from_before_there_were_owners_has_none() -> None:
    lease = parse(HELD)
    assert lease.holder is not None
    assert lease.holder.terms.owner == ""


def test_a_refresh_writes_the_owner_that_a_claim_has_got() -> None:
    owned = replace(TERMS, owner="velero/node-agent")
    assert stored(render_refresh(parse(HELD), "node1", WALL, owned)).holder == Holder(
        "c-1", owned, 41, WALL
    )
