"""One namespace's agents on one node take neither all memory nor all connections."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

import pytest

from coordinator.api import app as apps
from coordinator.api.app import api_app, listen
from coordinator.api.shares import REQUEST, Shares
from coordinator.core.views import Queued
from coordinator.service.metrics import Metrics
from tests.api.callers import AGENT, GUEST, NEIGHBOUR, bearer
from tests.api.conftest import CLAIM, SYNC, Caller

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    import aiohttp

    from coordinator.service.coordinator import Coordinator
    from tests.api.callers import FakeCallers
    from tests.api.fakes import FakePool

ASK = {"load": "x"}
MANY = 4
"""Claims of the largest sync that the listener of these tests has room for."""


def everything(claims: int) -> dict[str, object]:
    asked = [{"claim": f"c{number}", "load": "x"} for number in range(claims)]
    return {"agent": "a", "boot": "b", "sequence": 1, "claims": asked}


@pytest.fixture
async def small(
    coordinator: Coordinator,
    known: FakeCallers,
    session: aiohttp.ClientSession,
    monkeypatch: pytest.MonkeyPatch,
) -> AsyncIterator[Caller]:
    """A listener with room for one request."""
    monkeypatch.setattr(apps, "Shares", lambda: Shares(REQUEST + MANY))
    listener = await listen(api_app(coordinator, Metrics()), "127.0.0.1", 0)
    yield Caller(session, listener.url)
    await listener.close()


async def test_others_are_served_beside_a_namespace_that_has_all_its_share(
    small: Caller, pool: FakePool
) -> None:
    pool.forever = True
    waiting = asyncio.create_task(small("PUT", CLAIM, ASK, headers=bearer(AGENT)))
    async with asyncio.timeout(30):
        await pool.waiting.wait()
    pool.forever = False
    more = await small("PUT", CLAIM, ASK, headers=bearer(AGENT))
    assert (more.status, more.problem) == (503, "overloaded")
    assert (await small("PUT", CLAIM, ASK, headers=bearer(GUEST))).status == 200
    waiting.cancel()
    async with asyncio.timeout(30):
        await pool.cancelled.wait()
    assert (await small("PUT", CLAIM, ASK, headers=bearer(AGENT))).status == 200


async def test_each_claim_of_a_sync_counts(small: Caller, pool: FakePool) -> None:
    pool.sync_answers = tuple(Queued(f"c{n}", 1, (1, 1), "why", ()) for n in range(MANY))
    answer = await small("POST", SYNC, everything(MANY), headers=bearer(AGENT))
    assert answer.status == 200
    answer = await small("POST", SYNC, everything(MANY + 1), headers=bearer(AGENT))
    assert (answer.status, answer.problem) == (503, "overloaded")


async def test_what_is_answered_counts_no_more(small: Caller) -> None:
    for _ in range(10):
        answer = await small("PUT", CLAIM, ASK, headers=bearer(AGENT))
        assert answer.status == 200
        refused = await small("PUT", CLAIM, ASK, headers=bearer(NEIGHBOUR))
        assert refused.status == 403
