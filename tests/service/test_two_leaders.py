"""Two coordinators that both believe to lead, and an agent that both have answered."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from coordinator.core.views import Granted
from tests.service.cluster import NODE, ask, granted

if TYPE_CHECKING:
    from tests.service.cluster import Cluster


@pytest.mark.parametrize("retries", [0, 1])
async def test_a_grant_that_was_heard_outlives_another_ones_that_nobody_heard(
    cluster: Cluster, retries: int
) -> None:
    async with cluster.pool() as first, cluster.pool() as second:
        for claim in ("y", "z"):
            await granted(first, claim)
        for claim in ("y", "z"):
            await first.leave(NODE, claim, 5)
        await cluster.jumps.turn()
        cluster.start(first.ask(NODE, ask("a"), 50))  # its connection is half-open by now
        other = cluster.start(second.ask(NODE, ask("x"), 50))
        heard = cluster.start(second.ask(NODE, ask("a"), 50))
        await cluster.jumps.turn()
        view = heard.result()
        assert isinstance(view, Granted)
        for _ in range(retries):  # sent before that answer was heard, and late
            await first.ask(NODE, ask("a"), 0)
            await cluster.jumps.turn()
        assert cluster.holders()[view.lease] == "a"
        assert await granted(second, "a", token=view.token) == view
        await cluster.jumps.until(other.done)
        assert cluster.holders() == {view.lease: "a", other.result().lease: "x"}
