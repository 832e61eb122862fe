"""What the sidecar has counted since it started, for its metrics."""

from __future__ import annotations

from bisect import bisect_left

from agent_client.sidecar.lines import GRANTED, QUEUED, UNCONFIRMED

BUCKETS = (0.1, 0.5, 1.0, 5.0, 15.0, 60.0, 300.0, 900.0, 3600.0, 14400.0)
"""Seconds of waiting: from a free slot to a long night."""


class Tally:
    """Counts of what happened to loads. `waits` counts per bucket, the last one is the rest."""

    def __init__(self) -> None:
        self.granted = self.lost = self.unconfirmed = self.without_slot = 0
        self.waits = [0] * (len(BUCKETS) + 1)
        self.waited = 0.0
        """Seconds, in all."""

    def note(self, before: tuple[object, ...], after: tuple[object, ...], waited: float) -> None:
        """A load that has waited `waited` seconds was shown as `before` and is so `after`."""
        was, state = before[:1], after[0]
        if state == "lost":
            self.lost += 1
        elif state == UNCONFIRMED and was == (GRANTED,):
            self.unconfirmed += 1
        elif state == GRANTED and was in {(), (QUEUED,)}:
            self._begun(with_slot=after[1] is not None, waited=waited)

    def _begun(self, *, with_slot: bool, waited: float) -> None:
        if not with_slot:
            self.without_slot += 1
            return
        self.granted += 1
        self.waited += waited
        self.waits[bisect_left(BUCKETS, waited)] += 1
