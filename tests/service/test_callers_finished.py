"""A Pod that has finished asks for nothing: whoever shows its token found or stole it."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from coordinator.service.errors import Unauthenticated
from tests.service.door import pod_get
from tests.service.faults import lost_before

if TYPE_CHECKING:
    from tests.service.door import Door

CONTAINERS = {"containerStatuses": [{"name": "c", "state": {"terminated": {"exitCode": 0}}}]}


@pytest.mark.parametrize("phase", ["Succeeded", "Failed"])
async def test_a_new_token_of_a_finished_pod_is_refused(at: Door, phase: str) -> None:
    """The API server takes it until the Pod is deleted."""
    at.agent("t", "done")
    at.cluster.pod_status("done", {"phase": phase})
    with pytest.raises(Unauthenticated, match="has finished"):
        await at.identify("t")


async def test_one_that_was_accepted_is_not_once_the_watch_tells_of_the_end(at: Door) -> None:
    uid = at.agent("t", "done")
    await at.identify("t")
    at.cluster.pod_status("done", {"phase": "Succeeded"})
    at.callers.pod_gone(uid)
    for _ in range(3):
        with pytest.raises(Unauthenticated, match="has finished"):
            await at.identify("t")
        await at.cluster.jumps.advance(60)


async def test_a_sidecar_is_known_while_its_pod_ends(at: Door) -> None:
    """It gives back what its loads held."""
    at.agent("t", "ending")
    at.cluster.pod_status("ending", {"phase": "Running", **CONTAINERS})
    assert (await at.identify("t")).agent is not None


async def test_a_pod_is_looked_at_with_its_first_token_only(at: Door) -> None:
    at.agent("t")
    await at.identify("t")
    at.cluster.faults.on(pod_get(), lost_before, times=1e9)
    for _ in range(3):
        await at.cluster.jumps.advance(120)
        assert (await at.identify("t")).confirmed
    assert len(at.asked("/pods/agent-x")) == 1
