"""What the tiers on real nodes share: run by their mark only, skipped aloud where they cannot."""

from __future__ import annotations

import tempfile
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Protocol, TypeVar, runtime_checkable

import pytest

from tests.kubelet import machine
from tests.marks import only_by_name
from tests.realserver import binaries, report

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from contextlib import AbstractContextManager

    from tests.realserver.binaries import Binaries

S = TypeVar("S")


@runtime_checkable
class Telling(Protocol):
    """A site that can say how it is."""

    def words(self) -> str:
        """For whoever reads of a case that failed."""


def choose(marker: str, seconds: int, config: pytest.Config, items: list[pytest.Item]) -> None:
    """They take minutes and all of the machine: only who names them by their mark runs them.

    `seconds` is what one of them may take; the first one sets the site up.
    """
    for item in only_by_name(marker, config, items):
        item.add_marker(pytest.mark.timeout(seconds))
        item.add_marker(pytest.mark.xdist_group(marker))


def explain(item: pytest.Item, told: pytest.TestReport) -> pytest.TestReport:
    """A case that failed shows what the coordinators said and what the Pods are."""
    given = getattr(item, "funcargs", {})
    site = given.get("site") or given.get("whole_site")
    if told.failed and isinstance(site, Telling):
        told.sections.append(("the cluster", site.words()))
    return told


@contextmanager
def standing(site: Callable[[Binaries, Path], AbstractContextManager[S]]) -> Iterator[S]:
    """A site from its class, with a folder of its own, while no other tier runs here."""
    found = binaries.find()
    assert found is not None, "`hindrance` says so beforehand"
    with machine.alone():
        folder = Path(tempfile.mkdtemp(prefix=machine.MARK))
        with site(found, folder) as entered:
            yield entered


def need(title: str, why: str | None) -> None:
    """Goes on where nothing hinders; else the case is skipped aloud, or fails."""
    if why is None:
        return
    told = report.without(title, why)
    if machine.is_required():
        pytest.fail(told)
    pytest.skip(told)


def prepare(title: str, place: Path, made: Callable[[], str | None]) -> int:
    """Makes what a tier needs, in the cache at `place`; what comes back is an exit code.

    `made` says why that cannot be. That is one loud line, and a failure only where it is required.
    """
    why = made()
    if why is None:
        report.say(f"== {title}: ready in {place}")
        return 0
    report.say(report.without(title, why))
    if machine.is_required():
        report.say(f"!!! {machine.REQUIRE_VARIABLE} is set: this is a failure")
        return 1
    return 0
