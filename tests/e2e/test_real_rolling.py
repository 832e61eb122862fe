"""On the real API server: two replicas of the manifests, restarted one by one under load."""

from __future__ import annotations

import asyncio
import signal
from random import Random
from typing import TYPE_CHECKING

import pytest

from tests.chaos.field import Field
from tests.chaos.judge import grant_in
from tests.chaos.measures import mill, until
from tests.chaos.run import violations
from tests.chaos.spans import spans_of
from tests.e2e.cluster import limits

if TYPE_CHECKING:
    from pathlib import Path

    from tests.e2e.journal import Entry
    from tests.realserver.server import RealApiServer

pytestmark = [pytest.mark.real, pytest.mark.slow]

LIMIT = 2
FOREVER = 1e6
WORKING = (0.02, 0.1)
"""Seconds that each short load works."""


@pytest.mark.timeout(240)
async def test_a_rolling_restart_loses_no_slot_and_no_place(
    real_server: RealApiServer, tmp_path: Path
) -> None:
    """Whichever leads is stopped too; each is ready again before the next one goes, as in the
    Deployment. A follower passes requests on by TLS, with the caller's own token.
    """
    async with Field(real_server, tmp_path, Random(1)) as ground:
        await asyncio.to_thread(ground.cluster.configure, limits(LIMIT))
        for replica in ground.replicas:
            await ground.launch(replica)
        await ground.trusted()
        running = await asyncio.to_thread(
            ground.agent, "long", ground.nodes[0], "--strict", seconds=FOREVER
        )
        mills = [
            await asyncio.to_thread(mill, ground, node, f"mill-{number}", 4, WORKING)
            for number, node in enumerate(ground.nodes)
        ]
        grants = ground.history.grants
        leaders = []
        for replica in ground.replicas:
            await until(lambda: ground.leader, "a leader")
            leaders.append(ground.leader)
            before = len(grants)
            await until(lambda: len(grants) > before + 20, "grants")  # noqa: B023
            await ground.end(replica, signal.SIGTERM)
            await until(lambda: ground.leader not in {None, replica}, "the other leads")  # noqa: B023
            leaders.append(ground.leader)
            before = len(grants)
            await until(lambda: len(grants) > before + 20, "grants of the other")  # noqa: B023
            program = await ground.launch(replica)
            await asyncio.to_thread(program.wait_ready)

        assert set(leaders) == set(ground.replicas), "both have led"
        entries = await _read(ground)
        assert [one for one in entries if one.event in {"terminated", "failed"}] == []
        assert running.is_running()
        (long,) = (one for one in entries if one.load == "long")
        held = [one for one in grants if one.version.claim == long.slot["SLOT_CLAIM"]]
        assert len(held) == 1, "it was granted once, and never again"
        running.send(signal.SIGTERM)
        await asyncio.to_thread(running.exit_code)
        spans = spans_of(await _read(ground), {})
        used = {span.grant for span in spans}
        await until(lambda: used <= set(map(grant_in, grants)), "etcd tells of each grant")
        assert violations(ground, spans) == []
        assert [mill.output for mill in mills if "LOST" in mill.output] == []


async def _read(ground: Field) -> list[Entry]:
    """The journal; in a thread, since nobody gets through the links while their loop reads."""
    return await asyncio.to_thread(lambda: ground.journal.entries)
