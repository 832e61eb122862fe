"""One run: everything up, trouble for so many seconds, everything healed, and the verdict."""

from __future__ import annotations

import asyncio
import json
import time
from dataclasses import dataclass, field
from random import Random
from typing import TYPE_CHECKING, Any

from tests.chaos.crowd import Crowd
from tests.chaos.field import Field
from tests.chaos.history import ELECTION
from tests.chaos.judge import Case
from tests.chaos.reigns import read_mind
from tests.chaos.schedule import schedule
from tests.chaos.spans import spans_of
from tests.chaos.trouble import LIMITS, Trouble
from tests.e2e.cluster import limits
from tests.e2e.wire import NoAnswer

if TYPE_CHECKING:
    from collections import Counter
    from collections.abc import Callable
    from pathlib import Path

    from tests.chaos.history import History
    from tests.chaos.spans import Span
    from tests.realserver.server import RealApiServer

WRAPPERS, WRAPPED = 4, (0.1, 3.0)
"""Wrapped commands at a time, and the seconds that each works."""
LOADS, LASTING = 4, (0.02, 3.0)
"""The same for each library agent; there is one on each node."""
LEAVING = 90.0
"""Seconds until everybody who was there at the end must have got a slot and left."""
EMPTYING = 60.0
"""Seconds after that until no slot may be held: the TTL of those that were killed, and more."""


@dataclass
class Outcome:
    """What a run showed."""

    seconds: float
    faults: Counter[str]
    loads: int
    early: int
    grants: int
    hand_overs: int
    violations: list[str] = field(default_factory=list)

    def table(self) -> str:
        """Markdown."""
        rows = [
            ("seconds", f"{self.seconds:g}"),
            ("loads run", str(self.loads)),
            ("of these ended early (slot lost or in doubt, or told to)", str(self.early)),
            ("grants", str(self.grants)),
            ("of these hand-overs", str(self.hand_overs)),
            ("faults", str(self.faults.total())),
            *((f"- {kind}", str(count)) for kind, count in sorted(self.faults.items())),
            ("violations", str(len(self.violations))),
        ]
        return "\n".join(
            f"| {name} | {value} |" for name, value in [("", ""), ("---", "---:"), *rows]
        )


async def chaos(
    server: RealApiServer, folder: Path, seconds: float, seed: int, say: Callable[[str], None]
) -> Outcome:
    """Runs for so long with the faults of this seed; the server must be up."""
    rng, begun = Random(seed), time.monotonic()

    def tell(line: str) -> None:
        say(f"{time.monotonic() - begun:7.1f}  {line}")

    async with Field(server, folder, Random(seed + 1)) as ground:
        await asyncio.to_thread(ground.cluster.configure, limits(LIMITS[-1]))
        for replica in ground.replicas:
            await ground.launch(replica)
        await ground.trusted()
        crowd = Crowd(ground, Random(seed + 2))
        crowd.wrappers(WRAPPERS, WRAPPED)
        crowd.libraries(LOADS, LASTING)
        trouble = Trouble(ground, crowd, tell)
        await trouble.run(schedule(rng, seconds), seconds)
        tell("faults undone, everybody leaves")
        await crowd.leave(LEAVING)
        left = await _left(ground)
        tell("judging")
        return _outcome(ground, crowd, trouble, seconds, left)


async def _left(ground: Field) -> list[str]:
    """What is not as it was after a while: slots that are held, claims that wait, the limit."""
    deadline = time.monotonic() + EMPTYING
    while found := await asyncio.to_thread(_not_at_rest, ground):
        if time.monotonic() > deadline:
            return found
        await asyncio.sleep(0.5)
    return []


def _not_at_rest(ground: Field) -> list[str]:
    holders = ground.cluster.holders()
    holders.pop(ELECTION, None)
    found = [f"slot {name} is still held by {one}" for name, one in holders.items()]
    for node in ground.nodes:
        try:
            answer = ground.api.get(ground.node_path(node))
        except NoAnswer as error:
            return [*found, str(error)]
        if answer.status != 200:
            return [*found, f"{node}: {answer.raw!r}"]
        told = answer.json
        found += [f"{one['load']} still waits on {node}" for one in told["queue"]]
        if told["limit"] != LIMITS[-1]:
            found.append(f"the limit of {node} is {told['limit']}, not {LIMITS[-1]}")
    return found


def _outcome(
    ground: Field, crowd: Crowd, trouble: Trouble, seconds: float, left: list[str]
) -> Outcome:
    entries, grants = ground.journal.entries, ground.history.grants
    spans = spans_of(entries, crowd.stops)
    return Outcome(
        seconds=seconds,
        faults=trouble.counts,
        loads=len(spans),
        early=sum(one.event == "terminated" for one in entries),
        grants=len(grants),
        hand_overs=sum(one.is_hand_over for one in grants),
        violations=[
            *crowd.faults,
            *left,
            *(f"{one.load} got no slot: {one.slot}" for one in entries if one.event == "failed"),
            *violations(ground, spans),
        ],
    )


def violations(ground: Field, spans: list[Span]) -> list[str]:
    """Everything that the loads' lines, etcd and the coordinators' logs show."""
    history = ground.history
    ground.all_run()
    logs = [log for replica in ground.replicas for log in replica.logs]
    minds = [read_mind(log, lambda version: _limit(history, version)) for log in logs]
    case = Case(spans, history.grants, minds, LIMITS[-1])
    said = [fault for mind in minds for fault in mind.faults]
    return [*history.gaps, *ground.faults, *said, *case.violations()]


def _limit(history: History, version: str) -> int:
    """Raises for a text that may not be taken: then the run itself fails."""
    (text,) = history.configs[version].values()
    told: Any = json.loads(text)
    return int(told["loadConcurrency"]["globalConfig"])
