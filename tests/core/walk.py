"""A seeded walk through a `World`: quick, repeatable, and told step by step when it fails."""

from __future__ import annotations

import random
from typing import TYPE_CHECKING

from tests.core.healing import heal
from tests.core.intruder import intrude
from tests.core.world import World

if TYPE_CHECKING:
    from collections.abc import Callable

    Step = Callable[[World, int, int, int], None]

STEPS: dict[str, tuple[int, Step]] = {
    "ask": (
        12,
        lambda w, n, i, j: w.ask(n, i, bare=j % 5 == 0, stay=j % 2 == 0, ending=j % 7 == 0),
    ),
    "deliver": (16, lambda w, n, i, j: w.deliver(n, i, j % (7 if j % 3 else 2))),
    "watch": (8, lambda w, n, i, j: w.watch(n, i)),
    "tick": (5, lambda w, n, i, j: w.tick(j % 7 if j % 3 == 0 else j % 2)),
    "end_poll": (4, lambda w, n, i, j: w.end_poll(n, i)),
    "leave": (3, lambda w, n, i, j: w.leave(n, i)),
    "advance_list": (4, lambda w, n, i, j: w.advance_list(n)),
    "arrive_late": (3, lambda w, n, i, j: w.arrive_late(i)),
    "evidence": (3, lambda w, n, i, j: w.evidence(n, i, there=j % 2 == 0)),
    "pod_changed": (1, lambda w, n, i, j: w.pod_changed(n, i)),
    "intrude": (2, lambda w, n, i, j: intrude(w, n, i, ending=j % 2 == 0)),
    "restart": (1, lambda w, n, i, j: w.restart(i)),
    "set_limit": (2, lambda w, n, i, j: w.set_limit(i % 4)),
    "operator": (2, lambda w, n, i, j: w.operator(j, i)),
    "courtesy": (1, lambda w, n, i, j: w.courtesy(n, i)),
    "replay": (1, lambda w, n, i, j: w.replay(n, i)),
    "elect": (1, lambda w, n, i, j: w.elect()),
    "set_hold": (1, lambda w, n, i, j: w.set_hold(n, "upgrade" if i % 2 else "")),
}
"""By name, how often it comes, and what it does with a site and two numbers."""

NAMES, WEIGHTS = list(STEPS), [weight for weight, _ in STEPS.values()]


def walk(seed: int, length: int, headroom: int = 0) -> None:
    """Take so many steps at random, then heal; raises what the promises raise, with the steps."""
    rnd, world = random.Random(seed), World(headroom)
    told: list[str] = []
    try:
        for name in rnd.choices(NAMES, WEIGHTS, k=length):
            numbers = rnd.randrange(2), rnd.randrange(8), rnd.randrange(70)
            told.append(f"{world.now} {name} {numbers}")
            STEPS[name][1](world, *numbers)
        told.append("heal")
        heal(world)
    except Exception as error:
        error.add_note(f"seed {seed}, headroom {headroom}:\n" + "\n".join(told))
        raise
