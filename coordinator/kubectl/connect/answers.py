"""What the coordinator answered, or why that is no answer of a coordinator's."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import orjson

from coordinator.kubectl.connect.errors import Refused, Unreachable

if TYPE_CHECKING:
    import aiohttp


async def read(answer: aiohttp.ClientResponse) -> Any:
    """The JSON of a good answer, None of an empty one. Raises `Refused`, `Unreachable`."""
    raw = await answer.read()
    found = _parsed(raw)
    if not 200 <= answer.status < 300:
        raise Refused(answer.status, found if isinstance(found, dict) else {})
    if raw and found is None:
        raise Unreachable(f"what answers at {answer.url.origin()} is no coordinator: no JSON came")
    return found


def _parsed(raw: bytes) -> Any:
    try:
        return orjson.loads(raw)
    except orjson.JSONDecodeError:
        return None
