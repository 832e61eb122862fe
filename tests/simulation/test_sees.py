"""The judges see what they are there for: a few bugs planted, each caught within a few seeds."""

from __future__ import annotations

import logging
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any
from unittest import mock

import pytest
import structlog

from coordinator.core.claims import Claim
from coordinator.core.views import Released
from coordinator.kube import records
from coordinator.service.config import ConfigKeeper
from coordinator.service.desk import Desk
from coordinator.service.leadership import Leadership
from tests.simulation.runner import hush
from tests.simulation.world import run_seed

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from contextlib import AbstractContextManager

    from coordinator.core.model import Lease

SEEDS = 60


@pytest.fixture(autouse=True)
def quiet() -> Iterator[None]:
    before = structlog.get_config()
    hush()
    yield
    structlog.configure(**before)
    logging.disable(logging.NOTSET)


def puts_without_uid() -> AbstractContextManager[Any]:
    def identity(base: Lease) -> dict[str, str]:
        return {"name": base.name, "resourceVersion": str(base.version)}

    return mock.patch.object(records, "_identity", identity)


def expires_ahead_of_its_time() -> AbstractContextManager[Any]:
    return mock.patch.object(Claim, "silent", lambda claim, now: now >= claim.renewed + 4)


def released_before_it_is_written() -> AbstractContextManager[Any]:
    real = Desk.view

    def view(desk: Desk, claim: str, now: float, token: int | None = None) -> Any:
        known = desk.table.roll.claims.get(claim)
        return Released(claim) if known and known.leaving else real(desk, claim, now, token)

    return mock.patch.object(Desk, "view", view)


def answers_past_its_deadline() -> AbstractContextManager[Any]:
    return mock.patch.object(Leadership, "require", return_value=None)


@contextmanager
def bad_config_counts() -> Iterator[None]:
    real = ConfigKeeper._refuse

    def refuse(keeper: ConfigKeeper, what: str) -> None:
        keeper.state.rules = type(keeper.state.rules)()
        real(keeper, what)
        keeper._changed()

    with mock.patch.object(ConfigKeeper, "_refuse", refuse):
        yield


BUGS: dict[str, Callable[[], AbstractContextManager[Any]]] = {
    "P3": puts_without_uid,
    "P4": expires_ahead_of_its_time,
    "P7": released_before_it_is_written,
    "P10": answers_past_its_deadline,
    "P11": bad_config_counts,
}


@pytest.mark.parametrize("promise", BUGS)
def test_a_planted_bug_breaks_its_promise(promise: str) -> None:
    for seed in range(SEEDS):
        done = run_seed(seed, plant=BUGS[promise]())
        if done.violations:
            assert done.violations[0].startswith(promise), done.violations[0]
            return
    pytest.fail(f"{SEEDS} seeds saw nothing")
