"""A bound on how many requests of a kind are under way at a time."""

from __future__ import annotations

from contextlib import contextmanager
from typing import TYPE_CHECKING

from coordinator.api.problems import Problem

if TYPE_CHECKING:
    from collections.abc import Iterator


class Places:
    """At most `most` of them; `what` names them to who is sent away."""

    def __init__(self, most: int, what: str) -> None:
        self._most = most
        self._what = what
        self.taken = 0

    @contextmanager
    def one(self) -> Iterator[None]:
        """A place, as long as the request goes on. Raises `Problem` where none is left."""
        if self.taken >= self._most:
            detail = f"as many {self._what} are under way as may ({self._most}); ask again later"
            raise Problem("overloaded", detail, retry_after=5)
        self.taken += 1
        try:
            yield
        finally:
            self.taken -= 1
