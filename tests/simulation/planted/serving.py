"""Mistakes in who is served when, within which limit, and how hard the API server is asked."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

from coordinator.core import messages as m
from coordinator.core import slots
from coordinator.core.claims import Roll
from coordinator.core.limits import DEFAULT_RULES
from coordinator.core.slots import NodeTable
from coordinator.kube.backoff import Backoff
from coordinator.kube.reflector import Reflector
from coordinator.service.agents import Agents
from coordinator.service.config import ConfigKeeper
from coordinator.service.desk import Waiter
from coordinator.service.nodes import Nodes
from tests.core import planted as core

if TYPE_CHECKING:
    from collections.abc import Callable

    from coordinator.core.claims import Claim
    from coordinator.core.limits import LimitRules
    from coordinator.core.messages import Ask
    from coordinator.kube import errors
    from coordinator.kube.reflector import StreamEvent
    from tests.simulation.planted.bug import Patch


def _refusing(patch: Patch, rules: LimitRules) -> None:
    """A ConfigMap that is refused leads to these rules."""
    real = ConfigKeeper._refuse

    def refuse(keeper: ConfigKeeper, what: str) -> None:
        keeper.state.rules = rules
        real(keeper, what)
        keeper._changed()

    patch.setattr(ConfigKeeper, "_refuse", refuse)


def broken_config_zeroes(patch: Patch) -> None:
    """A broken or deleted ConfigMap leaves every node without a slot."""
    _refusing(patch, replace(DEFAULT_RULES, limit=0))


def broken_config_resets(patch: Patch) -> None:
    """A broken or deleted ConfigMap sets every limit to the default."""
    _refusing(patch, DEFAULT_RULES)


def shrink_is_ignored(patch: Patch) -> None:
    """A limit only ever grows."""

    def set_limit(table: NodeTable, e: m.SetLimit, now: float) -> bool:
        return NodeTable._set_limit(table, replace(e, limit=max(table.limit, e.limit)), now)

    patch.setitem(slots._HANDLERS, m.SetLimit, set_limit)


def labels_are_read_once(patch: Patch) -> None:
    """A node's labels and its hold annotation are what they were when it was first seen."""
    real = Nodes._set

    def put(nodes: Nodes, name: str, facts: Any) -> None:
        real(nodes, name, nodes.get(name) or facts if facts else None)

    patch.setattr(Nodes, "_set", put)


def _granting(patch: Patch, may: Callable[[NodeTable, float], bool]) -> None:
    patch.setattr(NodeTable, "may_grant", may)


def grants_while_settling(patch: Patch) -> None:
    """A new leader grants at once, before those who waited have shown their tickets."""
    _granting(patch, lambda table, now: not table.on_hold and now >= table.paused_until)


def grants_on_a_held_node(patch: Patch) -> None:
    """The hold annotation is shown to those who wait, and nothing else."""
    _granting(patch, lambda table, now: now >= table.grants_from and now >= table.paused_until)


def tickets_are_ignored(patch: Patch) -> None:
    """A claim that shows a ticket is queued like a newcomer."""
    real = Roll.admit

    def admit(roll: Roll, ask: Ask, now: float) -> Claim:
        return real(roll, ask._replace(ticket=None), now)

    patch.setattr(Roll, "admit", admit)


def older_syncs_count(patch: Patch) -> None:
    """A sync is taken in whatever its sequence and boot: the order of delivery decides."""
    real = Agents.take_turn

    def take_turn(agents: Agents, node: str, request: Any, waiter: Waiter) -> Any:
        record = agents.get(node, request.owner, request.agent)
        if record is not None:
            record.retired.pop(request.boot, None)
            record.sequence = min(record.sequence, request.sequence - 1)
        return real(agents, node, request, waiter)

    patch.setattr(Agents, "take_turn", take_turn)


def waits_have_no_end(patch: Patch) -> None:
    """A blocked request is answered when something changes, whatever its deadline."""

    real = Waiter.wait

    async def wait(waiter: Waiter, seconds: float) -> frozenset[str]:
        return await real(waiter, 1e9)

    patch.setattr(Waiter, "wait", wait)


def polls_never_end(patch: Patch) -> None:
    """That a claim's request is over is not noted: it counts as present for ever."""
    patch.setitem(slots._HANDLERS, m.PollEnded, lambda table, e, now: False)


def retries_are_hot(patch: Patch) -> None:
    """After a failure the next request goes out at once."""
    patch.setattr(Backoff, "next", lambda backoff, retry_after=None: 0.05)


def too_old_watches_go_on(patch: Patch) -> None:
    """After a 410 the watch is tried again from the same version."""

    async def failed(
        reflector: Reflector, error: errors.ApiError, sink: Callable[[StreamEvent], None]
    ) -> None:
        await reflector._sleep(reflector._backoff.next(error.retry_after))

    patch.setattr(Reflector, "_failed", failed)


ALL = (
    core.heir_may_have_left,
    shrink_is_ignored,
    core.newest_first,
    broken_config_zeroes,
    broken_config_resets,
    labels_are_read_once,
    grants_while_settling,
    grants_on_a_held_node,
    tickets_are_ignored,
    older_syncs_count,
    waits_have_no_end,
    polls_never_end,
    retries_are_hot,
    too_old_watches_go_on,
)
