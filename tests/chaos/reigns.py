"""What each coordinator had seen and when it led, by its own log.

The limit that binds a grant is the one that its coordinator had last seen (P1), and a connection
that stalls lets it see late. So the log is asked, but only for that; what may follow from it is
judged by others' lines.
"""

from __future__ import annotations

import json
import time
from dataclasses import dataclass, field
from datetime import datetime
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable
    from pathlib import Path

UNTOLD = 1
"""The limit until a ConfigMap was read (P11)."""
LATE = 0.5
"""Seconds between the decision to grant and the moment that is written into the Lease."""


@dataclass(eq=False)
class Mind:
    """One process. Times are the machine's monotonic time, in seconds."""

    log: Path
    limits: list[tuple[float, int]] = field(default_factory=list)
    led_from: list[float] = field(default_factory=list)
    granted: set[tuple[str, int]] = field(default_factory=set)
    """Lease and token of every grant that it wrote down."""
    faults: list[str] = field(default_factory=list)
    """What it said that no sound program says."""

    def limit(self, at: float) -> int:
        """The largest that it had seen as the newest at some moment just before."""
        before = [limit for since, limit in self.limits if since <= at - LATE]
        during = [limit for since, limit in self.limits if at - LATE < since <= at]
        return max([*(before[-1:] or [UNTOLD]), *during])

    def hear(self, told: dict[str, Any], at: float, limit_of: Callable[[str], int]) -> None:
        """Takes in one line of the log."""
        if "exception" in told:
            self.faults.append(f"{self.log}: {told['exception']}")
        match told["event"]:
            case "config accepted":
                self.limits.append((at, limit_of(told["version"])))
            case "leading":
                self.led_from.append(at)
            case "granted" | "handed over":
                self.granted.add((told["lease"], told["token"]))


@dataclass(frozen=True)
class Reign:
    """One time of leading."""

    mind: Mind
    began: float


def read_mind(log: Path, limit_of: Callable[[str], int]) -> Mind:
    """`limit_of` tells the limit of a resourceVersion of the ConfigMap."""
    mind, shift = Mind(log), time.monotonic() - time.time()
    for line in log.read_text(errors="replace").splitlines():
        try:
            told = json.loads(line)
        except ValueError:  # half a line of a killed process, or what came around the log
            if not line.startswith("{"):
                mind.faults.append(f"{log}: {line}")
            continue
        mind.hear(told, datetime.fromisoformat(told["timestamp"]).timestamp() + shift, limit_of)
    return mind


def reign_of(minds: Iterable[Mind], lease: str, token: int, at: float) -> Reign | None:
    """Under whom a grant of this moment was decided; None where nobody led by then.

    A write whose outcome was not known at first is in no log: then it is the newest leader.
    """
    known = [mind for mind in minds if (lease, token) in mind.granted] or list(minds)
    reigns = [Reign(mind, began) for mind in known for began in mind.led_from if began <= at]
    return max(reigns, key=lambda reign: reign.began, default=None)
