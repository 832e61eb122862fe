"""Eight volumes on a node with two slots: a backup and a restore of an unmodified Velero."""

from __future__ import annotations

import signal
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import TYPE_CHECKING

import pytest

from tests.e2e.waiting import until
from tests.velero.velero import BACKUP, PATIENCE, RESTORE

if TYPE_CHECKING:
    from collections.abc import Sequence

    from tests.velero.runtime import Run
    from tests.velero.site import Site

pytestmark = pytest.mark.velero
PODS, VOLUMES, LIMIT = 4, 2, 2
COUNT = PODS * VOLUMES
NAME = "eight"
KILLED = 128 + signal.SIGKILL


@dataclass(frozen=True)
class Seen:
    """What one of both came to."""

    phase: str
    phases: Sequence[str]
    most: int
    runs: Sequence[Run]
    sidecars: Sequence[Run]
    holders: Sequence[str]
    checksums: dict[str, str]
    described: str
    """What `velero describe` said while some ran and others waited."""


def seen(site: Site, kind: str, phase: str, checksums: dict[str, str], described: str = "") -> Seen:
    """What there is to see at its end."""
    movers = site.movers(kind, NAME)
    until(lambda: not site.holders(), "no holder is left")
    movers.wait_ended()
    runs, sidecars = movers.runs(), movers.sidecars()
    most, phases = movers.most_at_once(), movers.phases()
    return Seen(phase, phases, most, runs, sidecars, site.holders(), checksums, described)


@pytest.fixture(scope="module")
def backup(whole_site: Site) -> Seen:
    site = whole_site
    site.limit(LIMIT)
    load = site.workload(NAME, PODS, VOLUMES)
    checksums = load.checksums()
    with ThreadPoolExecutor() as beside:
        words = ("backup", "create", NAME, f"--include-namespaces={NAME}", "--wait")
        whole = beside.submit(site.velero.cli, *words)
        movers = site.movers(BACKUP, NAME)
        both = {"InProgress", "Accepted"}
        until(lambda: both <= set(movers.phases()), "some run and some wait", PATIENCE, 0.2)
        described = site.velero.cli("backup", "describe", NAME, "--details")
        assert "Completed" in whole.result()
    return seen(site, BACKUP, site.velero.phase("backup", NAME), checksums, described)


@pytest.fixture(scope="module")
def restore(whole_site: Site, backup: Seen) -> Seen:
    site = whole_site
    site.limit(LIMIT)
    back = site.restored(f"{NAME}-again", PODS, VOLUMES)
    site.velero.restore(NAME, NAME, NAME, back.namespace)
    phase = site.velero.wait("restore", NAME)
    return seen(site, RESTORE, phase, back.checksums())


@pytest.fixture(params=["backup", "restore"])
def either(request: pytest.FixtureRequest) -> Seen:
    found: Seen = request.getfixturevalue(request.param)
    return found


def test_it_completes_with_every_volume(either: Seen) -> None:
    assert either.phase == "Completed"
    assert either.phases == COUNT * ["Completed"]


def test_never_more_movers_run_at_once_than_the_node_has_slots(either: Seen) -> None:
    assert len(either.runs) == COUNT, "each mover's container ran once"
    assert either.most == LIMIT


def test_every_mover_starts_after_its_sidecar(either: Seen) -> None:
    sidecar = {run.pod: run for run in either.sidecars}
    assert len(either.sidecars) == len(sidecar) == COUNT, "no sidecar was started again"
    assert all(sidecar[run.pod].started < run.created for run in either.runs)


def test_a_sidecar_goes_by_itself_before_it_would_be_killed(either: Seen) -> None:
    """Velero's movers have no grace, so two seconds: every one that a sidecar takes is lost."""
    ended = {run.pod: run.ended or 0 for run in either.runs}
    assert all((run.ended or 0) > ended[run.pod] for run in either.sidecars), "not before its mover"
    assert KILLED not in [run.code for run in either.sidecars]


def test_velero_describes_movers_that_wait_as_accepted(backup: Seen) -> None:
    described = backup.described
    assert "Phase:  InProgress" in described
    assert "Accepted:" in described.partition("Pod Volume Backups")[2]


def test_no_holder_is_left(either: Seen) -> None:
    assert not either.holders


def test_restored_volumes_have_the_checksums_that_were_backed_up(
    backup: Seen, restore: Seen
) -> None:
    assert len(set(backup.checksums.values())) == COUNT
    assert restore.checksums == backup.checksums
