"""Where everything that happens is told to the judges, with what each process knew by then."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from coordinator.core import messages as m
from coordinator.embedded.resources import LEASES
from tests.simulation.judge.answers import AnswersJudge
from tests.simulation.judge.belief import BeliefJudge
from tests.simulation.judge.facts import Truth, look
from tests.simulation.judge.grants import GrantsJudge
from tests.simulation.judge.headroom import HeadroomJudge
from tests.simulation.judge.knowledge import Knowledge
from tests.simulation.judge.limits import LimitsJudge
from tests.simulation.judge.order import OrderJudge
from tests.simulation.judge.taking import TakingJudge
from tests.simulation.judge.traffic import TrafficJudge
from tests.simulation.judge.writes import LEASE_CALLS, of_election, steps_down
from tests.simulation.loop import PROCESS

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from coordinator.embedded.history import Event
    from coordinator.kube.errors import ApiError
    from tests.simulation.api import Sent
    from tests.simulation.judge.base import Judge
    from tests.simulation.loads import Load, Sitting
    from tests.simulation.loop import Process
    from tests.simulation.net import Visit
    from tests.simulation.world import World

Json = dict[str, Any]

WRITES = (m.Make, m.Grant, m.HandOver, m.Free, m.Remove, m.Refresh)
RENEW = 10.0
"""Seconds after the sending of its last good election write that a leader may answer."""


class Watcher:
    """The judges' common eyes."""

    def __init__(self, world: World) -> None:
        self._world = world
        self.now: Callable[[], float] = world.loop.time
        self.violations: list[str] = []
        self.restores = 0
        self.truth = Truth()
        self.known: dict[Process, Knowledge] = {}
        self.loads: dict[str, Load] = {}
        self.sittings: dict[str, dict[Sitting, None]] = {}
        self.unresponsive = world.unresponsive
        self.headroom = world.plan.headroom
        self._grants = GrantsJudge(self)
        self._belief = BeliefJudge(self)
        self._traffic = TrafficJudge(self)
        self._limits = LimitsJudge(self)
        self._answers = AnswersJudge(self)
        self._judges: list[Judge] = [
            self._traffic,
            self._limits,
            HeadroomJudge(self),
            self._grants,
            self._belief,
            TakingJudge(self),
            OrderJudge(self),
            self._answers,
        ]

    def blame(self, promise: str, text: str) -> None:
        """A promise was broken."""
        if self._world.finished:
            return
        self.violations.append(f"{promise} at {self.now():.6f} s: {text}")
        self._world.log("JUDGE", f"{promise}: {text}")
        self._world.enough()

    # --- facts for judges ---------------------------------------------------------------------

    @property
    def ended_pods(self) -> dict[str, float]:
        """Pods whose containers have truly ended, by uid."""
        return self._world.pods.ended

    def running_pods(self) -> set[str]:
        """The uids of Pods that are there, have not ended, and can be asked about."""
        return self._world.pods.running()

    def leads(self, known: Knowledge) -> bool:
        """Whether this process has the latest reign."""
        return known.reign >= max(one.reign for one in self.known.values())

    # --- the API server's side ----------------------------------------------------------------

    def committed(self, event: Event, sent: Sent | None) -> None:
        if event.resource.plural != "leases":
            return
        commit = self.truth.take(event, sent, self.now())
        if commit is not None:
            if commit.grants and sent is not None:
                self._world.counted("grants")
            for judge in self._judges:
                judge.committed(commit)

    def restored(self) -> None:
        """etcd came back from a backup."""
        self.restores += 1
        self._grants.restored()
        self._answers.restored()
        for known in self.known.values():
            known.forget_versions()

    def reread(self) -> None:
        """The same Leases, with other versions."""
        table = self._world.store._tables[LEASES]
        for found in [look(entry.view) for entry in table.values()]:
            if found is not None:
                self.truth.leases[found.name] = self.truth.states[found.name, found.version] = found

    def outage_began(self, state: str) -> None:
        """From now on nobody is answered."""
        self._traffic.begin()

    def outage_ended(self) -> None:
        self._traffic.end()

    # --- a coordinator's side -----------------------------------------------------------------

    def began(self, process: Process) -> None:
        self.known[process] = Knowledge(process, self._world.configs)

    def ended(self, process: Process) -> None:
        """A coordinator's process is gone, and with it its leadership."""
        if (known := self.known.get(process)) is not None:
            known.deadline = float("-inf")

    def sent(self, sent: Sent) -> None:
        known = self.known[sent.process]
        if steps_down(sent):
            known.deadline = float("-inf")
        for judge in self._judges:
            judge.sent(sent, known)

    def answered(self, sent: Sent, answer: Json) -> None:
        known = self.known[sent.process]
        self._learn(sent, known, answer)
        for judge in self._judges:
            judge.answered(sent, known, answer)

    def _learn(self, sent: Sent, known: Knowledge, answer: Json) -> None:
        if of_election(sent):
            self._elected(sent, known, answer)
        elif sent.call.verb == "list":
            known.listed(sent, answer, self.now())
        elif sent.writes_lease and sent.method == "DELETE":
            known.see_gone(sent.call.name, sent.version)
        elif sent.call.resource == LEASE_CALLS:
            known.see(look(answer))

    def _elected(self, sent: Sent, known: Knowledge, answer: Json) -> None:
        if not sent.writes_lease or answer["spec"].get("holderIdentity") != known.process.name:
            return
        if known.deadline <= self.now():
            known.take_over(sent.at)
        known.deadline = max(known.deadline, sent.at + RENEW)
        leads = known.deadline > self.now()  # a paused one hears of its renewal too late
        for other in self.known.values():
            if leads and other is not known and other.deadline > self.now():
                names = f"{known.process.name} and {other.process.name}"
                self.blame("P10", f"{names} lead at once")

    def failed(self, sent: Sent, error: ApiError) -> None:
        known = self.known[sent.process]
        if type(error).__name__ == "NotFound" and sent.method in {"GET", "DELETE"}:
            known.see_gone(sent.call.name, sent.version)
        for judge in self._judges:
            judge.failed(sent, known, error)

    def told(self, sent: Sent, line: Json) -> None:
        if not of_election(sent):
            self.known[sent.process].watched(sent, line)

    def handled(self, node: str, event: m.Event, commands: Sequence[m.Command]) -> None:
        """A table took an event in."""
        process = PROCESS.get()
        known = self.known.get(process) if process else None
        if known is not None:
            known.took(node, event, self.now())
            if isinstance(event, m.SetLimit):
                self._limits.told_limit(node, event.limit, known)
            writes = [one for one in commands if isinstance(one, WRITES) and known.new(node, one)]
            for judge in self._judges if writes else ():
                judge.decided(node, known, writes)

    def visited(self, visit: Visit) -> None:
        """A leading replica begins to answer."""
        visit.began, visit.paused = self.now(), visit.process.paused_for()
        known = self.known[visit.process]
        known.hears(visit.body)
        for judge in self._judges:
            judge.visited(visit, known)

    def replied(self, visit: Visit, answer: Json) -> None:
        for judge in self._judges:
            judge.replied(visit, self.known[visit.process], answer)

    def over(self, visit: Visit, *, well: bool) -> None:
        for judge in self._judges:
            judge.over(visit, self.known[visit.process], well=well)

    # --- an agent's side ----------------------------------------------------------------------

    def asked(self, agent: str, node: str, body: Json) -> None:
        for judge in self._judges:
            judge.asked(agent, node, body)

    def heard(self, agent: str) -> None:
        self._belief.heard(list(self.sittings.get(agent, ())))

    def sits(self, sitting: Sitting) -> None:
        self.loads[sitting.load.uid] = sitting.load
        self.sittings.setdefault(sitting.caller.name, {})[sitting] = None

    def rises(self, sitting: Sitting) -> None:
        self.sittings[sitting.caller.name].pop(sitting, None)
