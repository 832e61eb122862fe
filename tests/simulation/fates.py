"""What becomes of one request to the API server: drawn before it is sent."""

from __future__ import annotations

from dataclasses import dataclass, replace
from math import inf
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable
    from random import Random

    from tests.simulation.plan import ApiFaults


@dataclass(frozen=True, slots=True)
class Fate:
    """Times are in seconds after the sending; infinity is never.

    `told` replaces the true answer: an HTTP status, or "cut" for a broken connection, or "refused"
    for one that never was. `again` is when a copy of the request arrives once more.
    """

    there: float
    back: float
    told: int | str = ""
    again: float = inf
    sendings: int = 1
    retry_after: str | None = None


def fate_of(rng: Random, faults: ApiFaults, *, writes: bool) -> Fate:
    """Mostly a few milliseconds there and back."""
    there = rng.uniform(0.001, 0.01)
    usual = Fate(there, there + rng.uniform(0.001, 0.01))
    dice = rng.random()
    for share, become in _ENDS:
        dice -= getattr(faults, share)
        if dice < 0:
            return become(rng, usual) if writes or share not in _WRITES_ONLY else usual
    return usual


def late(rng: Random) -> float:
    """How much later a write commits: seconds mostly, minutes now and then."""
    return rng.choice((rng.uniform(0.05, 1), rng.uniform(1, 12), rng.uniform(10, 150)))


def _slow(rng: Random, usual: Fate) -> Fate:
    there = rng.uniform(0.01, 4.0)
    return replace(usual, there=there, back=there + rng.uniform(0.001, 3.0))


def _lost(rng: Random, usual: Fate) -> Fate:
    return Fate(inf, rng.choice((inf, usual.back)), "cut")


def _unanswered(rng: Random, usual: Fate) -> Fate:
    return Fate(usual.there, rng.choice((inf, usual.back)), "cut")


def _refused(rng: Random, usual: Fate) -> Fate:
    return Fate(inf, usual.back, "refused")


def _error_before(rng: Random, usual: Fate) -> Fate:
    return Fate(inf, usual.back, rng.choice((500, 503, 504)))


def _error_after(rng: Random, usual: Fate) -> Fate:
    return replace(usual, told=rng.choice((500, 503, 504)))


def _error_then_commit(rng: Random, usual: Fate) -> Fate:
    return Fate(usual.back + late(rng), usual.back, rng.choice((500, 503, 504)))


def _cut_then_commit(rng: Random, usual: Fate) -> Fate:
    return Fate(usual.back + late(rng), rng.choice((inf, usual.back)), "cut")


def _repeated(rng: Random, usual: Fate) -> Fate:
    return replace(usual, again=usual.there + late(rng))


def _resent(rng: Random, usual: Fate) -> Fate:
    """The HTTP library sent it twice, and hears the second answer."""
    return replace(usual, sendings=2)


def _throttled(rng: Random, usual: Fate) -> Fate:
    wait = rng.choice((None, "1", "3", "7"))
    return Fate(inf, usual.back, 429, retry_after=wait)


_ENDS: tuple[tuple[str, Callable[[Random, Fate], Fate]], ...] = (
    ("slow", _slow),
    ("lost", _lost),
    ("unanswered", _unanswered),
    ("refused", _refused),
    ("error_before", _error_before),
    ("error_after", _error_after),
    ("error_then_commit", _error_then_commit),
    ("cut_then_commit", _cut_then_commit),
    ("repeated", _repeated),
    ("resent", _resent),
    ("throttled", _throttled),
)
_WRITES_ONLY = frozenset({"error_then_commit", "cut_then_commit", "repeated", "resent"})
