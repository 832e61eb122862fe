"""What a stranger's token does to the API server is nobody else's outage."""

from __future__ import annotations

from contextlib import suppress
from typing import TYPE_CHECKING

import orjson

from coordinator.service.errors import NotConfirmed
from tests.service.door import token_review
from tests.service.faults import lost_before

if TYPE_CHECKING:
    from aiohttp import web
    from aiohttp.typedefs import Handler

    from tests.service.door import Door

POISON = "poison"


async def fails_over_poison(request: web.Request, handler: Handler) -> web.StreamResponse:
    """As where a webhook is asked about unknown tokens, and does not answer in time."""
    if orjson.loads(await request.read())["spec"]["token"].startswith(POISON):
        return await lost_before(request, handler)
    return await handler(request)


async def test_an_agent_seen_before_stays_confirmed_while_reviews_of_others_fail(
    at: Door,
) -> None:
    at.agent("known")
    await at.identify("known")
    at.cluster.faults.on(token_review(), fails_over_poison, times=1e9)
    await at.cluster.jumps.advance(110)
    for second in range(20):
        with suppress(NotConfirmed):
            await at.identify(f"{POISON}-{second}")
        await at.cluster.jumps.advance(1)
        assert (await at.identify("known")).confirmed
    assert at.reviews() > 2
