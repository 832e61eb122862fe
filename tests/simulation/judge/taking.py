"""P4 and P10: a slot is taken from who gave it back, ended, or was silent for its TTL."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from coordinator.core import messages as m
from tests.simulation.judge.base import Judge

if TYPE_CHECKING:
    from collections.abc import Sequence

    from tests.simulation.judge.knowledge import Knowledge
    from tests.simulation.loads import Load
    from tests.simulation.net import Visit
    from tests.simulation.watcher import Watcher

EARLY = 0.02
"""Seconds of tolerance: what is taken in and what is decided happen a moment apart."""


class TakingJudge(Judge):
    """At each decision to take a slot from a claim."""

    def __init__(self, watcher: Watcher) -> None:
        super().__init__(watcher)
        self._released: dict[str, None] = {}
        self._shown: dict[str, int] = {}
        """Claim to the token that its agent showed last."""

    def asked(self, agent: str, node: str, body: Any) -> None:
        for claim in body["releases"]:
            self._released[claim] = None
        for told in body["claims"]:
            if "fencingToken" in told:
                self._shown[told["claim"]] = told["fencingToken"]

    def decided(self, node: str, known: Knowledge, writes: Sequence[m.Write]) -> None:
        for write in writes:
            if isinstance(write, m.Make | m.Refresh) or write.base.holder is None:
                continue
            self._judge(write, write.base.holder.claim, write.base.holder.token, known)

    def _judge(self, write: m.Write, claim: str, token: int, known: Knowledge) -> None:
        load = self.watcher.loads.get(claim)
        if claim in self._released or claim in self.watcher.truth.by_hand or load is None:
            return
        if load.given_up or self._shown.get(claim, token) != token or self._ended(load):
            return
        why = self._unread(load, known) or self._too_early(load, known)
        if why:
            self.blame("P4", f"{type(write).__name__} takes a slot from {claim}: {why}")

    def _unread(self, load: Load, known: Knowledge) -> str:
        """Whether its request has come, but was not looked at before its slot was taken."""
        for visit in known.process.visits:
            named = any(told["claim"] == load.uid for told in visit.body["claims"])
            if named and not visit.began and visit.arrived < self.watcher.now() - 0.05:
                return f"its request has waited for {self.watcher.now() - visit.arrived:.3f} s"
        return ""

    def _ended(self, load: Load) -> bool:
        return load.pod is not None and load.pod.uid in self.watcher.ended_pods

    def _too_early(self, load: Load, known: Knowledge) -> str:
        now = self.watcher.now()
        heard = max(known.renewed.get(load.uid, 0.0), known.reign)
        if now < heard + load.ttl - EARLY:
            return f"it was heard of {now - heard:.3f} s ago, its TTL is {load.ttl} s"
        if self._unresponsive(load, known) and now < heard + load.ttl + self.watcher.unresponsive:
            return f"its Pod runs, and it has been unresponsive for {now - heard - load.ttl:.3f} s"
        return ""

    def _unresponsive(self, load: Load, known: Knowledge) -> bool:
        """Whether section 7 of the design keeps it: a Pod that runs, and its agent's last boot."""
        if load.pod is None or load.pod.uid not in self.watcher.running_pods():
            return False
        confirmed = load.uid in known.confirmed or load.uid not in known.granted_here
        return confirmed and not self._new_boot(load, known)

    def _new_boot(self, load: Load, known: Knowledge) -> bool:
        spoke = known.boots.get(load.uid)
        return spoke is not None and known.boot_of.get(spoke[0]) not in {None, spoke[1]}

    def visited(self, visit: Visit, known: Knowledge) -> None:
        known.boot_of[visit.body["agent"]] = visit.body["boot"]
