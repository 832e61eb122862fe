"""Seeds with a bug planted, until one reports a broken promise."""

from __future__ import annotations

import multiprocessing
import os
from concurrent.futures import ProcessPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING

from tests.simulation.planted.bugs import BUGS
from tests.simulation.runner import hush
from tests.simulation.world import run_seed

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator


@dataclass(frozen=True, slots=True)
class Seen:
    """The seed that reported the bug, the promise, and the whole sentence."""

    seed: int
    promise: str
    text: str


def first_seen(name: str, seeds: Iterable[int]) -> Seen | None:
    """The first of these seeds that reports the bug; None if none does."""
    hush()
    for seed in seeds:
        done = run_seed(seed, plant=BUGS[name].planted())
        if done.violations:
            text = done.violations[0]
            return Seen(seed, text.partition(" at ")[0], text)
    return None


@contextmanager
def searchers(workers: int) -> Iterator[ProcessPoolExecutor]:
    """Processes for `first_seen`, in which sets of strings have the order that seeds rely on."""
    before = os.environ.get("PYTHONHASHSEED")
    os.environ["PYTHONHASHSEED"] = "0"
    try:
        with ProcessPoolExecutor(workers, multiprocessing.get_context("spawn")) as pool:
            yield pool
    finally:
        os.environ.pop("PYTHONHASHSEED")
        if before is not None:
            os.environ["PYTHONHASHSEED"] = before
