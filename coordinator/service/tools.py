"""What every part of the service works with: the API server, the clocks, chance and patience."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass, field
from random import Random
from typing import TYPE_CHECKING

from coordinator.kube.reflector import Reflector
from coordinator.service.clock import Clock

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    from coordinator.kube.answers import Json
    from coordinator.kube.client import KubeClient
    from coordinator.kube.reflector import StreamEvent

    Stream = tuple[Reflector, Callable[[StreamEvent], None]]


@dataclass(frozen=True, slots=True)
class Tools:
    """Handed down from the coordinator; all but the client can be replaced in tests."""

    client: KubeClient
    clock: Clock = field(default_factory=Clock)
    rng: Random = field(default_factory=Random)
    """Spreads retries, keeps no secret."""
    sleep: Callable[[float], Awaitable[object]] = asyncio.sleep

    def reflector(
        self,
        path: str,
        *,
        metadata_only: bool = False,
        params: dict[str, str] | None = None,
        read: Callable[[Json], object] | None = None,
    ) -> Reflector:
        """A list and watch of this path, to be run."""
        return Reflector(
            self.client,
            path,
            rng=self.rng,
            params=params,
            metadata_only=metadata_only,
            read=read,
            clock=self.clock.now,
            sleep=self.sleep,
        )
