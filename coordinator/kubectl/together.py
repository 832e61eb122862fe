"""Several questions at once."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Awaitable


async def together(*asked: Awaitable[Any]) -> list[Any]:
    """What all of them answer, in their order. Raises the first one's error that has any.

    It does so once all have ended: a request that is broken off leaves a connection which is still
    being closed when the command is over.
    """
    answers = await asyncio.gather(*asked, return_exceptions=True)
    for answer in answers:
        if isinstance(answer, BaseException):
            raise answer
    return answers
