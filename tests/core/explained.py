"""What every table can say of itself, whatever has happened to it: judged after each step."""

from __future__ import annotations

from typing import TYPE_CHECKING

from coordinator.core.estimate import Estimate
from coordinator.core.explain import PoolWhy, Starved, explain_claim, explain_node
from coordinator.core.listing import unresponsive
from coordinator.core.sentences import claim_sentence, node_sentence, pool_sentence
from coordinator.core.surroundings import Surroundings
from coordinator.core.survey import view_of
from coordinator.core.views import Granted, Lost, Queued, Released, Settling
from coordinator.core.waits import longest_wait

if TYPE_CHECKING:
    from coordinator.core.slots import NodeTable

AROUND = Surroundings("globalConfig", (3.0, 20.0, 5.0, 8.0, 40.0, 11.0), age=lambda _: 7.0)
"""Some holders cannot be foreseen, being older than all loads; others can."""
UNFORESEEN = Surroundings("globalConfig", (), age=lambda _: 7.0)
ENDS = {"granted": Granted, "settling": Settling, "lost": Lost, "released": Released}


def explained(table: NodeTable, now: float, *, foreseen: bool) -> None:
    """Everything has a reason and a sentence, which agree with what the claim itself is told.

    Estimates, which cost more than all else here, are made where they are to be `foreseen`.
    """
    around = AROUND if foreseen else UNFORESEEN
    for claim in (*table.roll.claims, *table.roll.ended, "nobody"):
        _claim(table, claim, now, around)
    found = explain_node(table, now, around)
    assert found.code == "free" or table.picture.taken or found.code != "slots-held", found
    assert node_sentence(found).endswith("."), found
    assert pool_sentence(pool_why(table, now)).endswith(".")


def pool_why(table: NodeTable, now: float) -> PoolWhy:
    """What is true of a pool that has only this node."""
    waiting = len(table.roll.queue)
    starved = (Starved(table.node, waiting, longest_wait(table, now)),) if waiting else ()
    return PoolWhy("", waiting, len(starved), starved, len(unresponsive(table)), None)


def _claim(table: NodeTable, claim: str, now: float, around: Surroundings) -> None:
    found, view = explain_claim(table, claim, now, around), view_of(table, claim, now)
    assert claim_sentence(found).endswith("."), found
    if isinstance(view, Queued):
        assert found.code == "not-present" or found.text == view.reason, (found, view)
        assert (found.position, found.ahead_count) == (view.position, view.position - 1)
    else:
        assert isinstance(view, ENDS.get(found.code, type(None))), (found, view)
    if isinstance(found.forecast, Estimate):
        told = found.forecast
        assert 0 <= told.low <= told.seconds <= told.high, found
