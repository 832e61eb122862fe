"""The demo's course: fill the nodes, edit the limits half way, let the loads end."""

from __future__ import annotations

import asyncio
import math
from dataclasses import dataclass, field
from time import monotonic
from typing import TYPE_CHECKING

from coordinator.demo import findings, scenario
from coordinator.demo.findings import Findings
from coordinator.demo.journal import handovers
from coordinator.demo.judge import Limits, judge
from coordinator.demo.screen import Frame
from coordinator.demo.watch import NoAnswer

if TYPE_CHECKING:
    from coordinator.demo.cluster import Hand
    from coordinator.demo.journal import Handover
    from coordinator.demo.output import Output
    from coordinator.demo.stage import Stage
    from coordinator.demo.watch import Counts, Seen

LOOK_SECONDS = 0.25
RECENT_NOTES = 200
BEGIN_SECONDS = 30.0
FOLLOW_SECONDS = 15.0
"""A limit that is not followed by then counts as not followed at all."""
EDIT_FOREVER = 10.0
"""When the limits are edited if there is no half way."""
LAST_LOADS = 5.0
"""No load is started in the last seconds: those that run are left to end."""


@dataclass
class Play:
    """One run. `problems` is what went wrong so far."""

    stage: Stage
    output: Output
    seconds: float
    problems: list[str] = field(default_factory=list)
    _began: float | None = None
    _limits: dict[str, Limits] = field(default_factory=dict)
    _granted: dict[str, float] = field(default_factory=dict)
    _queued: dict[str, float] = field(default_factory=dict)
    _draining: dict[str, float] = field(default_factory=dict)
    _edited_at: float | None = None
    _followed: bool = False
    _refused: str = ""
    _complete: bool = False
    _counts: Counts | None = None

    @property
    def _pace(self) -> float:
        """A shorter demo has shorter loads, so that each part of it still shows something."""
        return min(1.0, max(0.3, self.seconds / scenario.FULL_SECONDS))

    @property
    def elapsed(self) -> float:
        """Seconds since each node ran its first load; until then 0."""
        return 0.0 if self._began is None else monotonic() - self._began

    async def run(self) -> None:
        """Until the time is up and the last load has ended. Raises `ProcessDied`."""
        half = self.seconds / 2 if self.seconds < math.inf else EDIT_FOREVER
        closing = max(self.seconds * 0.7, self.seconds - LAST_LOADS)
        await self._begin()
        while self.elapsed < closing:
            await self._push("pushing loads")
            if self.elapsed >= half and self._edited_at is None:
                await self._edit()
            await asyncio.sleep(LOOK_SECONDS)
        await self._close()

    async def _begin(self) -> None:
        """Start agents until each node runs a load: a slow machine's start-up is not the show."""
        deadline = monotonic() + BEGIN_SECONDS
        while monotonic() < deadline:
            await self._push("the first agents start")
            if {note.node for note in self.stage.journal.notes} >= scenario.NODES.keys():
                break
            await asyncio.sleep(LOOK_SECONDS)
        self._began = monotonic()

    async def _push(self, phase: str) -> None:
        if seen := await self._look(phase):
            await self.stage.agents.fill(seen, self._pace)

    async def _close(self) -> None:
        """No new loads: those that wait leave the queue, those that run end."""
        self.output.event(self.elapsed, "closing: who waits leaves the queue, who runs may end")
        self.stage.agents.withdraw()
        leaving = asyncio.create_task(self.stage.agents.leave())
        try:
            while not leaving.done():
                await self._look("the last ones end")
                await asyncio.wait({leaving}, timeout=LOOK_SECONDS)
        finally:
            leaving.cancel()
        await self._look("done")
        self._complete = True

    async def _look(self, phase: str) -> Seen | None:
        self.stage.journal.read()
        seen = await self.stage.look()
        if seen:
            self._learn(seen)
            frame = Frame(seen, self._handovers(RECENT_NOTES), self.elapsed, self.seconds, phase)
            self.output.show(frame)
        return seen

    def _learn(self, seen: Seen) -> None:
        self._tell_refused(seen)
        for name, node in seen.nodes.items():
            told = self._limits.setdefault(name, Limits())
            if told.see(node.limit, seen.asked, seen.answered):
                self._tell_limit(name, seen)
            for slot in node.slots:
                if slot.granted is not None:
                    self._granted.setdefault(slot.load, slot.granted)
            for load in node.queue:
                self._queued.setdefault(load, seen.answered)
            self._tell_drained(name, seen)

    def _tell_refused(self, seen: Seen) -> None:
        if seen.refused != self._refused:
            self._refused = seen.refused
            self.output.event(self.elapsed, seen.refused or "the ConfigMap is fine again")

    def _tell_limit(self, name: str, seen: Seen) -> None:
        node, spans = seen.nodes[name], self._limits[name].spans
        if len(spans) == 1:
            self.output.event(self.elapsed, f"{name}: limit {node.limit}, {node.decided_by}")
            return
        more = ""
        if len(node.slots) > node.limit:
            self._draining[name] = seen.answered
            more = f"; {len(node.slots)} run on, none starts until fewer than {node.limit} do"
        self.output.event(self.elapsed, f"{name}: limit {spans[-2].limit} -> {node.limit}{more}")

    def _tell_drained(self, name: str, seen: Seen) -> None:
        node = seen.nodes[name]
        if name in self._draining and len(node.slots) <= node.limit:
            took = seen.answered - self._draining.pop(name)
            text = f"{name}: down to its limit of {node.limit}, {took:.1f} s after the change"
            self.output.event(self.elapsed, text)

    async def _edit(self) -> None:
        """Edit the ConfigMap, and wait until the coordinator's answers show it."""
        self._edited_at = self.elapsed
        if any(hand.resource == "configmaps" for hand in self.stage.cluster.hands):
            return  # somebody tries it with an own hand: leave their limits alone
        name = f"ConfigMap {scenario.CONFIG_MAP}"
        self.output.event(self.elapsed, f"{name} edited: {scenario.EDIT}")
        if wrong := await self.stage.cluster.edit_limits(self.stage.session):
            self.problems.append(f"{name} could not be edited: {wrong}")
            return
        edited = monotonic()
        while not self._followed and monotonic() - edited < FOLLOW_SECONDS:
            seen = await self._look("limits edited")
            self._followed = seen is not None and seen.limits() == scenario.EDITED_LIMITS
            await asyncio.sleep(0 if self._followed else LOOK_SECONDS / 10)
        if not self._followed:
            self.problems.append(
                f"the edited limits were not followed within {FOLLOW_SECONDS:g} s:"
                f" {scenario.EDITED_LIMITS} were expected"
            )
        else:
            took = (monotonic() - edited) * 1000
            self.output.event(self.elapsed, f"followed within {took:.0f} ms, without a restart")

    def hand(self, hand: Hand) -> None:
        """Somebody changed something in the cluster."""
        self.output.event(self.elapsed, str(hand))

    def _handovers(self, last: int | None = None) -> list[Handover]:
        """All so far, or those of the last so many notes: a frame needs no more."""
        notes = self.stage.journal.notes[-last:] if last else self.stage.journal.notes
        return handovers(notes, self._queued, self._limit)

    def _limit(self, node: str, at: float) -> int:
        told = self._limits[node]
        return told.spans[told.at(at)].limit

    async def count(self) -> None:
        """Ask the coordinator for its counters, while it is there."""
        if not self.stage.coordinator.runs:
            return
        try:
            self._counts = await self.stage.watch.counts()
        except NoAnswer as error:
            self.problems.append(f"the metrics could not be read: {error}")

    def findings(self) -> Findings:
        """Everything there is to say. What the loads wrote last must be in the journal by now."""
        self.stage.journal.read()
        notes = self.stage.journal.notes
        hands, bad = self.stage.cluster.hands, self.stage.agents.bad
        by_hand = findings.freed_by_hand(bad, hands, notes)
        periods = judge(notes, self._limits, self._granted, by_hand)
        loads, cut_short = findings.tally(notes)
        return Findings(
            loads=loads,
            cut_short=cut_short,
            lost_by_hand=len(by_hand),
            followed=self._followed,
            periods=periods,
            counts=self._counts,
            latency=findings.latency(self._handovers()),
            problems=[
                *findings.breaches(periods),
                *(findings.idle(periods) if self._complete else []),
                *findings.unexplained(bad, hands, notes),
                *self.problems,
            ],
        )
