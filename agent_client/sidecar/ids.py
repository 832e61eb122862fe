"""Claim ids of named loads, and which generation of each is next. Pure."""

from __future__ import annotations

import hashlib
import json
import re
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Collection

MEMORY = 150.0
"""Seconds that a used generation is remembered: longer than the coordinator's 120 (P7). After that
it would take the old id again."""
LONGEST_NAME = 64
NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,63}", re.ASCII)
"""What a sidecar may be called: its claim ids begin with it."""


class Ids:
    """The ids of the sidecar called `name`."""

    def __init__(self, name: str) -> None:
        self._name = name
        self._form = re.compile(rf"({re.escape(name)}-[0-9a-f]{{24}})\.([0-9]{{1,9}})", re.ASCII)
        self._used: dict[str, tuple[int, float]] = {}
        """By key: the last generation, and until when it is remembered."""

    def key(self, load: str, uid: str) -> str:
        """What the claim ids of `load` have in common."""
        told = json.dumps([self._name, load, uid]).encode()
        return f"{self._name}-{hashlib.sha256(told).hexdigest()[:24]}"

    def claim(self, key: str, generation: int) -> str:
        """The claim id."""
        return f"{key}.{generation}"

    def parts(self, claim: str) -> tuple[str, int] | None:
        """Key and generation of a claim id of this sidecar; None for one of somebody else."""
        match = self._form.fullmatch(claim)
        return (match[1], int(match[2])) if match else None

    def next(self, key: str) -> int:
        """The generation to ask with."""
        return self._used[key][0] + 1 if key in self._used else 0

    def used(self, key: str, generation: int, now: float) -> None:
        """This generation has ended."""
        last = max(generation, self.next(key) - 1)
        self._used[key] = (last, now + MEMORY)

    def forget_old(self, now: float, going: Collection[str]) -> None:
        """Let go of the generations that the coordinator has forgotten; `going` ids it has not."""
        kept = {parts[0] for claim in going if (parts := self.parts(claim))}
        for key in [k for k, (_, until) in self._used.items() if now >= until and k not in kept]:
            del self._used[key]
