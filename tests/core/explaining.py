"""A play whose table explains itself, with ages and durations made up."""

from __future__ import annotations

from typing import TYPE_CHECKING

from coordinator.core.explain import explain_claim, explain_node
from coordinator.core.surroundings import Surroundings
from tests.core.play import Play, ask

if TYPE_CHECKING:
    from coordinator.core.cap import CapUse
    from coordinator.core.explain import ClaimWhy, NodeWhy
    from coordinator.core.surroundings import ConfigTrouble

RULE = "perNodeConfig[0] disk=fast"
STEADY = tuple(600.0 + 10 * number for number in range(40))
"""Durations of forty loads: 600 to 990 s."""


def around(
    age: float | None = 300.0,
    durations: tuple[float, ...] = STEADY,
    config: ConfigTrouble | None = None,
    cap: CapUse | None = None,
) -> Surroundings:
    """Every holder has its slot for `age` seconds."""
    return Surroundings(RULE, durations, config, cap, lambda _: age)


def why(play: Play, claim: str, beside: Surroundings | None = None) -> ClaimWhy:
    return explain_claim(play.table, claim, play.now, beside or around())


def node_why(play: Play, beside: Surroundings | None = None) -> NodeWhy:
    return explain_node(play.table, play.now, beside or around())


def full(*waiting: str, limit: int = 1) -> Play:
    """A node whose slots are all held by "x1", "x2" and so on, and for which these claims wait."""
    play = Play(limit)
    for number in range(1, limit + 1):
        play.grant(f"x{number}", ttl=3600)
    for claim in waiting:
        play(ask(claim))
    return play
