"""What may not be, found in what the loads wrote and what etcd stored."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from tests.chaos.reigns import reign_of
from tests.chaos.spans import FOREVER, Grant
from tests.e2e.holds import Hold, judge

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from tests.chaos.history import Granted
    from tests.chaos.reigns import Mind, Reign
    from tests.chaos.spans import Span

SKEW = 0.01
"""Seconds that the wall clock of a grant may have moved against the loads' clock."""


@dataclass(frozen=True)
class Decision:
    """A grant whose load ran, with the moment of its decision and who decided."""

    granted: Granted
    span: Span
    reign: Reign | None

    @property
    def at(self) -> float:
        return self.granted.version.acquired


@dataclass
class Case:
    """Everything there is to judge by."""

    spans: Sequence[Span]
    grants: Sequence[Granted]
    minds: Sequence[Mind]
    most: int
    """The highest limit there ever was."""
    decisions: list[Decision] = field(init=False)

    def __post_init__(self) -> None:
        by_grant = {grant_in(one): one for one in self.grants}
        self.decisions = [
            self._decision(by_grant[span.grant], span)
            for span in self.spans
            if span.grant in by_grant
        ]

    def _decision(self, granted: Granted, span: Span) -> Decision:
        version = granted.version
        reign = reign_of(self.minds, version.name, version.token, version.acquired)
        return Decision(granted, span, reign)

    def violations(self) -> list[str]:
        """Every one in words; none is good."""
        return [
            *self._without_lease(),
            *self._never_ended(),
            *tokens_that_are_wrong(self.grants),
            *judge([_hold(span) for span in self.spans if span.counts], self.most),
            *self._above_limit(),
        ]

    def _without_lease(self) -> Iterator[str]:
        known = {grant_in(one) for one in self.grants}
        for span in self.spans:
            if span.grant not in known:
                yield f"{span.load} ran without a Lease: {span}"

    def _never_ended(self) -> Iterator[str]:
        for span in self.spans:
            if span.until == FOREVER:
                yield f"{span.load} began and never ended: {span}"

    def _above_limit(self) -> Iterator[str]:
        running: dict[str, list[Decision]] = defaultdict(list)
        for decision in sorted(self.decisions, key=lambda one: one.at):
            others = running[decision.span.node]
            others[:] = [one for one in others if decision.at + SKEW < one.span.until]
            yield from _faults_of(decision, [one for one in others if _was_known(one, decision)])
            others.append(decision)


def _faults_of(decision: Decision, running: Sequence[Decision]) -> Iterator[str]:
    """P1 at the moment of a decision, with the loads that ran then."""
    if decision.reign is None:
        yield f"a grant while nobody led: {decision.granted}"
        return
    limit, slot = decision.reign.mind.limit(decision.at), decision.span.grant.lease
    if len(running) >= limit or int(slot.rpartition("-")[2]) >= limit:
        names = ", ".join(sorted(one.span.load for one in running)) or "nobody"
        yield (
            f"{decision.span.load} got {slot} at {decision.at:.3f} although the limit was {limit}"
            f" and there ran: {names}"
        )


def _was_known(other: Decision, decision: Decision) -> bool:
    """Whether a grant's decider had to know of this earlier one.

    It knows its own decisions, and of others what stood when it came to lead: later writes of a
    predecessor reach it late where the connection stalls.
    """
    if other.reign is None or decision.reign is None:
        return False
    if other.reign == decision.reign:
        return other.at < decision.at
    return other.granted.version.at < decision.reign.began


def grant_in(granted: Granted) -> Grant:
    version = granted.version
    return Grant(version.name, version.token, version.claim)


def tokens_that_are_wrong(grants: Sequence[Granted]) -> Iterator[str]:
    """P5: the token is the revision that the grant replaced, so it grows with every grant."""
    last: dict[str, int] = {}
    for granted in grants:
        version = granted.version
        if version.token != granted.replaced:
            yield f"a token that is not the replaced revision {granted.replaced}: {version}"
        if version.token <= last.get(version.name, 0):
            yield f"a token that did not grow past {last[version.name]}: {version}"
        last[version.name] = version.token


def _hold(span: Span) -> Hold:
    grant = span.grant
    return Hold(span.node, grant.lease, grant.token, grant.claim, span.began, span.until)
