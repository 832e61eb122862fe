"""What a leading replica's API answers: syncs as they are, single claims in the same form."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from coordinator.api.answers import Elements, refused
from coordinator.api.bodies import parse
from coordinator.api.claims import RELEASE_WAIT
from coordinator.api.schemas import WAIT_SHARE, SyncClaim
from coordinator.api.sync import answer_sync
from coordinator.core.refusals import Refusal
from coordinator.core.views import Released

if TYPE_CHECKING:
    from coordinator.service.pool import Pool

Json = dict[str, Any]


async def answer(pool: Pool, verb: str, node: str, body: Json) -> Json:
    """The answer as a sync has it. Raises `Problem` and `ServiceError`."""
    if verb == "PUT":
        return await _put(pool, node, body)
    if verb == "DELETE":
        return await _delete(pool, node, body["releases"][0])
    found: Any = (await answer_sync(pool, node, body))[0]
    return dict(found)


async def _put(pool: Pool, node: str, body: Json) -> Json:
    """As `coordinator.api.claims.put_claim` does it, without HTTP."""
    asked = parse(SyncClaim, body["claims"][0])
    ask = asked.ask(asked.claim)
    wait = body["waitSeconds"]
    if ask.token is not None:
        wait = min(wait, ask.terms.ttl / WAIT_SHARE)
    try:
        view = await pool.ask(node, ask, wait)
    except Refusal as refusal:
        raise refused(refusal, ask.claim, node) from None
    told = Elements(node, pool.term, pool.wall()).of(view, ask.claim)
    return {"term": pool.term, "claims": [told], "released": []}


async def _delete(pool: Pool, node: str, claim: str) -> Json:
    """As `coordinator.api.claims.delete_claim` does it, without HTTP."""
    view = await pool.leave(node, claim, RELEASE_WAIT)
    done = [claim] if isinstance(view, Released) else []
    return {"term": pool.term, "claims": [], "released": done}
