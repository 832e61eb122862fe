"""Velero's timeouts against the waits to be expected.

Three clocks run while a mover waits for a slot:
--data-mover-prepare-timeout of the node-agent, from Accepted until the mover runs, for each volume
(`onPrepareTimeout` in `pkg/controller/*_controller.go`); --fs-backup-timeout of the server, from
the start of a backup or restore until all of its file system volumes are done (`pkg/backup/
backup.go`, `pkg/restore/restore.go`); --default-item-operation-timeout of the server, for each CSI
snapshot's DataUpload or DataDownload from when it is made to its end
(`pkg/controller/*_operations_controller.go`).
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from operator import itemgetter
from typing import TYPE_CHECKING

from coordinator.core.movers import PREPARE_TIMEOUT, Kind
from coordinator.core.words import count, names
from coordinator.velero.check_model import Finding, Level
from coordinator.velero.check_text import add_argument, span
from coordinator.velero.check_waits import HOUR, SAFETY, Backlog, backlogs, rounded
from coordinator.velero.flags import duration, seconds_of

if TYPE_CHECKING:
    from coordinator.velero.check_map import Ruled
    from coordinator.velero.check_model import Own
    from coordinator.velero.world import NodeAgent, Server, World

LATE = 0.75
"""From this part of the prepare timeout on, a wait is one to look at."""
WHOLE_DEFAULT = 4 * HOUR
"""Velero's default for both timeouts of the server (`pkg/cmd/server/config/config.go`)."""
_FILE_SYSTEM = (Kind.POD_VOLUME_BACKUP, Kind.POD_VOLUME_RESTORE)


@dataclass(frozen=True, slots=True)
class _Clock:
    """One timeout of the server that runs while movers wait."""

    flag: str
    kinds: tuple[Kind, ...]
    of: str
    strikes: str
    """What happens then."""


_CLOCKS = (
    _Clock(
        "fs-backup-timeout",
        _FILE_SYSTEM,
        "a whole backup or restore with file system volumes, waiting included",
        "the backup ends PartiallyFailed, its record in the object storage names none of its file"
        " system volumes, post hooks of the Pods that wait are not run, and the movers go on",
    ),
    _Clock(
        "default-item-operation-timeout",
        (Kind.DATA_UPLOAD, Kind.DATA_DOWNLOAD),
        "each volume of a CSI snapshot, from when its DataUpload or DataDownload is made, waiting"
        " included",
        "the volume is cancelled, and the backup ends PartiallyFailed",
    ),
)


def timeouts(world: World, own: Own, ours: Ruled) -> list[Finding]:
    """Each timeout that a wait counts for: whether it is long enough, by what was seen."""
    worst = next(iter(backlogs(world, ours.per_node)), None)
    agents = [agent for agent in world.node_agents if not agent.windows]
    findings = [_prepare(world, agent, worst) for agent in agents]
    findings += _now(world, agents)
    if world.server:
        findings += [_of_server(world, world.server, clock, ours) for clock in _CLOCKS]
    return [*findings, *_schedules(own, world), *_coordinator(own, agents)]


def _prepare(world: World, agent: NodeAgent, worst: Backlog | None) -> Finding:
    timeout, needed = agent.prepare_timeout, SAFETY * worst.wait if worst else 0.0
    about = "prepare timeout"
    text = f"a mover may wait for {span(timeout)}; then Velero fails its volume"
    if worst and timeout >= needed:
        return Finding(Level.OK, about, f"{text}. {_expected(worst)}")
    if timeout >= 12 * HOUR and not worst:
        return Finding(Level.OK, about, text)
    wanted = rounded(needed)
    fails = worst is not None and timeout < worst.wait
    return Finding(
        Level.ERROR if fails else Level.WARNING,
        about,
        f"{text}. {_expected(worst) if worst else 'How long movers would wait is not known'}",
        f"set it to {span(wanted)}, at a time when no backup runs: it restarts {agent.name}",
        (
            add_argument(
                world.namespace,
                "daemonset",
                agent.name,
                f"--data-mover-prepare-timeout={span(wanted)}",
            ),
        ),
    )


def _now(world: World, agents: list[NodeAgent]) -> list[Finding]:
    """Those whose prepare clock runs at this moment."""
    waiting = [
        (world.taken - work.accepted, work)
        for work in world.works
        if work.phase == "Accepted" and work.accepted is not None
    ]
    if not waiting or not agents:
        return []
    longest, work = max(waiting, key=itemgetter(0))
    timeout = min(agent.prepare_timeout for agent in agents)
    place = f" on {work.node}" if work.node else ""
    return [
        Finding(
            Level.WARNING if longest >= LATE * timeout else Level.NOTE,
            "prepare timeout",
            f"{count(len(waiting), 'volume')} accepted now and not begun; the longest,"
            f" {work.name}{place}, for {span(longest)} of {span(timeout)}",
        )
    ]


def _expected(worst: Backlog) -> str:
    """The numbers behind the wait."""
    brought = (
        f"{worst.owner or 'a backup'} brought {count(worst.volumes, 'volume')} to {worst.node},"
        f" {worst.together} at once (limit {worst.limit}; median run {span(worst.typical)}, longest"
        f" {span(worst.longest)})"
    )
    if not worst.wait:
        return f"Nobody would have waited: at most, {brought}"
    return f"Longest wait to be expected: {span(worst.wait)}; {brought}"


def _of_server(world: World, server: Server, clock: _Clock, ours: Ruled) -> Finding:
    timeout = seconds_of(server.flags, clock.flag, WHOLE_DEFAULT)
    text = f"{span(timeout)} for {clock.of}"
    mine = [work for work in world.works if work.kind in clock.kinds]
    if world.works and not mine:
        return Finding(Level.NOTE, clock.flag, f"{text}; no such volume was seen")
    whole, known = _whole(world, clock, ours)
    if known and timeout >= SAFETY * whole:
        seen = (
            f"The longest one seen would need {span(whole)}" if whole else "All of them were short"
        )
        return Finding(Level.OK, clock.flag, f"{text}. {seen}")
    prepare = max((a.prepare_timeout for a in world.node_agents), default=PREPARE_TIMEOUT)
    wanted = max(rounded(SAFETY * whole), rounded(max(prepare, 12 * HOUR) + WHOLE_DEFAULT))
    if timeout >= wanted:
        return Finding(Level.OK, clock.flag, text)
    seen = f"One that was seen would need {span(whole)}. " if known else ""
    return Finding(
        Level.ERROR if known and timeout < whole else Level.WARNING,
        clock.flag,
        f"{text}. {seen}When it strikes, {clock.strikes}",
        f"set it to {span(wanted)}, at a time when no backup runs: it restarts {server.name}",
        (
            add_argument(
                world.namespace,
                "deployment",
                server.name,
                f"--{clock.flag}={span(wanted)}",
            ),
        ),
    )


def _whole(world: World, clock: _Clock, ours: Ruled) -> tuple[float, bool]:
    """Seconds that the longest work of these kinds needs on its node, and whether that is known."""
    mine = tuple(work for work in world.works if work.kind in clock.kinds)
    found = backlogs(replace(world, works=mine), ours.per_node)
    return max((one.whole for one in found), default=0.0), bool(found)


def _schedules(own: Own, world: World) -> list[Finding]:
    prepare = max((a.prepare_timeout for a in world.node_agents), default=PREPARE_TIMEOUT)
    short = [
        f"{one.name} ({span(one.item_operation_timeout)})"
        for one in own.schedules
        if one.item_operation_timeout < prepare
    ]
    if not short:
        return []
    return [
        Finding(
            Level.WARNING,
            "schedules",
            f"with an itemOperationTimeout of their own that is shorter than the prepare timeout"
            f" ({span(prepare)}): {names(short)}. It strikes first",
            "raise spec.template.itemOperationTimeout of these Schedules, or take it out",
        )
    ]


def _coordinator(own: Own, agents: list[NodeAgent]) -> list[Finding]:
    """Our own idea of the prepare timeout, which the Warning Events on movers come from."""
    if own.coordinator is None or not agents:
        return []
    given = own.coordinator.flags.get("prepare-timeout", "")
    ours = _seconds(given)
    theirs = min(agent.prepare_timeout for agent in agents)
    if ours in (0.0, theirs):
        return []
    return [
        Finding(
            Level.WARNING,
            "coordinator",
            f"it takes the prepare timeout for {span(ours)}, and it is {span(theirs)}: its Events"
            " that warn of it come at the wrong time",
            "give it the same: `slot-coordinator velero install --prepare-timeout`",
        )
    ]


def _seconds(given: str) -> float:
    """Seconds of the coordinator's flag."""
    try:
        return float(given) if given else PREPARE_TIMEOUT
    except ValueError:
        return duration(given) or PREPARE_TIMEOUT
