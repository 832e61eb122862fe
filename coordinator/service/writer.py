"""Performs a table's operations on Leases and says how each ended.

One call is one request. A write is rendered once, at its first attempt; after an unknown outcome
the table commands it again and the same bytes are sent (promise P2).
"""

from __future__ import annotations

import asyncio
from dataclasses import dataclass
from typing import TYPE_CHECKING

from coordinator.core import messages as m
from coordinator.kube import errors, records

if TYPE_CHECKING:
    from collections.abc import Callable

    from coordinator.kube.leases import LeaseStore
    from coordinator.service.clock import Clock
    from coordinator.service.gate import Gate

_Put = m.Grant | m.HandOver | m.Free | m.Refresh


LANES = 64
"""Writes that are sent at a time. The others wait where no request's deadline runs: at midnight
there are thousands, and one that spent its ten seconds in a line would count as unknown."""


class _NoLonger(Exception):
    """Its turn came too late. No answer of the API server, so the gate learns nothing from it."""


@dataclass(slots=True)
class _Sent:
    """What a PUT says, and whether some attempt of it may have taken effect."""

    body: bytes
    doubtful: bool = False


class Writer:
    """The writes of one pool."""

    def __init__(self, namespace: str, store: LeaseStore, gate: Gate, clock: Clock) -> None:
        self._namespace = namespace
        self._store = store
        self._gate = gate
        self._clock = clock
        self._sent: dict[tuple[str, int], _Sent] = {}
        self._lanes = asyncio.Semaphore(LANES)
        self._under_way = 0

    @property
    def idle(self) -> bool:
        """Whether no operation is being sent or waits for its turn."""
        return self._under_way == 0

    async def perform(
        self,
        node: str,
        op: m.Operation,
        age: float = 0.0,
        still: Callable[[], bool] = lambda: True,
    ) -> m.Outcome:
        """Send the operation once. `age` is how many seconds ago its claim was renewed.

        It may have to wait for its turn: `still` is asked right before the first sending, and the
        outcome is `Withdrawn` where it says no.
        """
        self._under_way += 1
        try:
            async with self._lanes:
                outcome = await self._outcome(node, op, age, still)
        finally:
            self._under_way -= 1
        self._remember((node, op.op), outcome)
        return outcome

    def _remember(self, key: tuple[str, int], outcome: m.Outcome) -> None:
        """After an unknown outcome the same bytes are sent until the truth is known (P2)."""
        sent = self._sent.get(key)
        if sent is None:
            return
        if isinstance(outcome, m.Unknown):
            sent.doubtful = True
        elif not (sent.doubtful and isinstance(outcome, m.Failed)):
            del self._sent[key]

    async def _outcome(
        self, node: str, op: m.Operation, age: float, still: Callable[[], bool]
    ) -> m.Outcome:
        async def turn() -> m.Outcome:
            if (node, op.op) not in self._sent and not still():
                raise _NoLonger
            return await self._send(node, op, age)

        try:
            return await self._gate.run(turn)
        except _NoLonger:
            return m.Withdrawn(op.op)
        except (errors.Conflict, errors.AlreadyExists):
            return m.Conflict(op.op)
        except (errors.UnknownOutcome, errors.Unavailable):
            return m.Unknown(op.op)
        except errors.NotFound as error:
            return _gone(op, str(error))
        except errors.ApiError as error:
            return m.Failed(op.op, str(error))

    async def _send(self, node: str, op: m.Operation, age: float) -> m.Outcome:
        match op:
            case m.ReadBack():
                return m.Read(op.op, await self._store.read(self._namespace, op.name))
            case m.Remove():
                await self._store.delete(self._namespace, op.base)
                return m.Written(op.op, None)
            case m.Make():
                return m.Written(op.op, await self._store.create(self._namespace, node, op.name))
        body = self._body(node, op, age)
        name = op.base.name
        return m.Written(op.op, await self._store.replace(self._namespace, name, body))

    def _body(self, node: str, op: _Put, age: float) -> bytes:
        sent = self._sent.get((node, op.op))
        if sent is None:
            sent = self._sent[node, op.op] = _Sent(self._render(node, op, age))
        return sent.body

    def _render(self, node: str, op: _Put, age: float) -> bytes:
        match op:
            case m.Free():
                return records.render_free(op.base, node)
            case m.Refresh():
                return records.render_refresh(op.base, node, self._clock.stamp(age), op.terms)
            case _:
                wall = self._clock.stamp()
                return records.render_grant(op.base, node, op.claim, op.terms, wall)


def _gone(op: m.Operation, why: str) -> m.Outcome:
    """404: nobody has this uid any more, so the write's precondition can never hold again."""
    match op:
        case m.Remove():
            return m.Written(op.op, None)
        case m.Make():  # it is the namespace that is missing
            return m.Failed(op.op, why)
        case _:
            return m.Conflict(op.op)
