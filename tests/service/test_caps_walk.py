"""The cap over two pools, on seeded walks with every fault between: never exceeded at a send.

Each pool is a `World` of the core's tests, with its own API server, limits, agents and faults; they
share one node and one cap, joined as a reign joins them.
"""

from __future__ import annotations

import random
from types import SimpleNamespace
from typing import TYPE_CHECKING, cast

import pytest

from coordinator.core import messages as m
from coordinator.core.survey import view_of
from coordinator.core.views import Granted
from coordinator.service.caps import Caps, NodeShare
from tests.core.healing import end_faults, everybody_asks, pump
from tests.core.modelserver import NODE
from tests.core.walk import NAMES, STEPS, WEIGHTS
from tests.core.world import NAMES as CLAIMS
from tests.core.world import World

if TYPE_CHECKING:
    from collections.abc import Callable

    from coordinator.service.pool import Pool
    from tests.core.sites import Site

CAP = 3


class Side(World):
    """One of the two pools; `Both` puts the cap in once there is a table."""

    both: Both | None = None

    def feed(self, site: Site, event: m.Event) -> list[m.Command]:
        commands = super().feed(site, event)
        if self.both is not None:
            self.both.judge(self, site, event, commands)
        return commands

    def _too_late(self, site: Site, op: m.Operation) -> bool:
        late = super()._too_late(site, op)
        slot = site.table.picture.under_way(op.op)
        if self.both is not None and not (late or slot is None or slot.unknown):
            self.both.within_cap(site, [op])
        return late


class Both:
    """Two pools of each leader, the newest and for a while the one before it."""

    def __init__(self) -> None:
        self.sides = {"velero": Side(), "scans": Side()}
        self.joined: dict[int, Caps] = {}
        self.grants = 0
        for side in self.sides.values():
            side.both = self
        self.join()

    def join(self) -> None:
        """The tables of one leader share one cap; another leader's know nothing of it."""
        caps = Caps(CAP, lambda: self.now)
        number = self.sides["velero"].sites[-1].number
        for name, side in self.sides.items():
            site = side.sites[-1]
            site.table.share = NodeShare(caps, name, NODE)
            caps.pools[name] = self._pool(side, site)
        self.joined[number] = caps

    def _pool(self, side: Side, site: Site) -> Pool:
        desk = SimpleNamespace(table=site.table)
        return cast(
            "Pool",
            SimpleNamespace(
                desks={NODE: desk},
                gathering=lambda: "",
                apply=lambda _, event: side.feed(site, event),
            ),
        )

    @property
    def now(self) -> float:
        return self.sides["velero"].now

    def judge(self, side: Side, site: Site, event: m.Event, commands: list[m.Command]) -> None:
        """No grant is decided above the cap, and the other pool hears of whatever happened."""
        op = getattr(event, "op", None)
        self.within_cap(site, [c for c in commands if getattr(c, "op", op) != op])
        caps = self.joined.get(site.number)
        name = next(name for name, one in self.sides.items() if one is side)
        if caps is not None and not isinstance(event, m.Turn):
            caps.pass_on(name, NODE)

    def within_cap(self, site: Site, commands: list[m.Command]) -> None:
        """What the site's leader was told and has under way, where it decides or sends a grant."""
        grants = [c for c in commands if isinstance(c, m.Grant | m.HandOver)]
        taken = {name: self._taken(one, site.number) for name, one in self.sides.items()}
        assert not grants or sum(taken.values()) <= CAP, f"{taken}: {grants}"
        self.grants += len(grants)

    def _taken(self, side: Side, number: int) -> int:
        site = next((one for one in side.sites if one.number == number), None)
        if site is None:
            return 0
        slots = site.table.picture.slots.values()
        told = {slot.ordinal for slot in slots if slot.lease and slot.lease.taken}
        wire = [a for a in site.wire if isinstance(a.op, m.Grant | m.HandOver)]
        sent = {a.op.ordinal for a in wire if a.awaited or side.server.could_apply(a.op)}
        return len(told | sent)

    def step(self, rnd: random.Random) -> None:
        """Something happens in one pool, or to both."""
        [name] = rnd.choices(NAMES, WEIGHTS)
        numbers = rnd.randrange(2), rnd.randrange(8), rnd.randrange(70)
        sides = list(self.sides.values())
        if name == "tick":
            self.tick(numbers[2])
        elif name == "elect":
            for side in sides:
                side.both = None
                side.elect()
                side.both = self
            self.join()
        else:
            STEPS[name][1](rnd.choice(sides), *numbers)

    def run(self, *, asking: bool) -> None:
        """A while in which everything gets through."""
        for _ in range(12):
            for side in self.sides.values():
                if asking:
                    everybody_asks(side)
                pump(side, side.sites[0])
            now = max(side.now for side in self.sides.values())
            for side in self.sides.values():
                side.now = now

    def tick(self, number: int) -> None:
        """Time passes for both before either looks at it."""
        jump = number % 7 if number % 3 == 0 else number % 2
        for side in self.sides.values():
            side.tick(jump)


def walk(first: int) -> int:
    """Thirty walks; how often a grant was decided or first sent."""
    grants = 0
    for seed in range(first, first + 30):
        rnd, both = random.Random(seed), Both()
        for number in range(160):
            try:
                both.step(rnd)
            except Exception as error:
                error.add_note(f"seed {seed}, step {number}")
                raise
        grants += both.grants
    return grants


@pytest.mark.parametrize("first", range(0, 120, 30))
def test_no_grant_is_sent_above_the_cap(first: int) -> None:
    assert walk(first) > 100, "the walks hardly grant anything"


def writes_do_not_count(patch: pytest.MonkeyPatch) -> None:
    """A slot that is just being written to a claim is not counted."""

    def left(caps: Caps, node: str) -> int:
        slots = [slot for _, one in caps.tables(node) for slot in one.picture.slots.values()]
        return caps.cap - sum(slot.holder is not None for slot in slots)

    patch.setattr(Caps, "left", left)


def decided_is_sent(patch: pytest.MonkeyPatch) -> None:
    """A grant that waited for its sending goes whatever the other pool has by then."""
    patch.setattr(NodeShare, "fits", lambda share: True)


def walk_often() -> None:
    for first in range(0, 600, 30):
        walk(first)


@pytest.mark.parametrize("plant", [writes_do_not_count, decided_is_sent])
def test_a_planted_fault_is_seen(
    plant: Callable[[pytest.MonkeyPatch], None], monkeypatch: pytest.MonkeyPatch
) -> None:
    plant(monkeypatch)
    with pytest.raises(AssertionError, match="velero"):
        walk_often()


def test_after_the_faults_as_many_hold_as_the_cap_allows() -> None:
    """Late writes of an earlier leader may have taken more; once all has gone, it is the cap."""
    for seed in range(20):
        rnd, both = random.Random(seed), Both()
        for _ in range(80):
            both.step(rnd)
        for side in both.sides.values():
            end_faults(side)
            side.set_limit(len(CLAIMS))
        for side in both.sides.values():
            for claim in range(len(CLAIMS)):
                side.leave(0, claim)
        both.run(asking=False)
        both.tick(6)
        both.run(asking=True)
        sites = [side.sites[0] for side in both.sides.values()]
        views = [view_of(site.table, claim, both.now) for site in sites for claim in CLAIMS]
        assert sum(isinstance(view, Granted) for view in views) == CAP, f"seed {seed}: {views}"
