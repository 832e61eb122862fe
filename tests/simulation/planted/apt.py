"""Which seeds are worth a look for a bug: those whose plan has the faults that it needs.

A plan is drawn before anything runs, so that of thousands of seeds only the apt ones are run.
"""

from __future__ import annotations

from random import Random
from typing import TYPE_CHECKING

from tests.simulation.plan import Plan, plan_of

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator


def _busy(plan: Plan) -> bool:
    """Whether loads wait for one another."""
    return plan.loads >= 3 and plan.agents >= 3


def _calm(plan: Plan) -> bool:
    """Whether etcd is not restored, which ends everything that was under way."""
    return not plan.happenings.restore and not plan.happenings.replica_crash


def _paused_agents(plan: Plan) -> bool:
    return _busy(plan) and _calm(plan) and plan.happenings.agent_pause > 1.5


def _doubt(plan: Plan) -> bool:
    """Whether many writes end in doubt."""
    api = plan.api
    doubt = api.unanswered + api.error_after + api.error_then_commit + api.cut_then_commit
    return _busy(plan) and doubt > 0.15


APT: dict[str, Callable[[Plan], bool]] = {
    "late_answers_renew": _paused_agents,
    "silence_is_ignored": _paused_agents,
    "repeats_know_no_gate": lambda plan: _busy(plan) and plan.happenings.outage > 1,
    "leadership_is_a_flag": lambda plan: plan.loads >= 8 and plan.happenings.replica_pause > 3,
    "headroom_is_shown_only": lambda plan: _busy(plan) and plan.headroom > 0,
    "shrink_is_ignored": lambda plan: _busy(plan) and plan.happenings.limits > 1,
    "failed_after_unknown_is_failure": lambda plan: (
        _doubt(plan) and plan.api.throttled + plan.api.refused > 0.05
    ),
    "lease_absent_from_the_cache_is_lost": lambda plan: _busy(plan) and plan.watch.late > 0.1,
    "leave_forgets_the_write": lambda plan: plan.api.slow > 0.1,
}
"""Bugs that need some faults. All others are looked for anywhere."""


def apt_seeds(name: str, most: int) -> Iterator[int]:
    """The first `most` seeds that are apt for the bug, in their order."""
    apt, seed, found = APT.get(name), 0, 0
    while found < most and seed < 1000 * most:
        if apt is None or apt(plan_of(Random(f"{seed}/plan"))):
            found += 1
            yield seed
        seed += 1
