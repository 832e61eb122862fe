"""A backup that stands still in its midst: some movers run, the others wait, until all go on."""

from __future__ import annotations

from contextlib import contextmanager
from typing import TYPE_CHECKING

from tests.e2e.waiting import until
from tests.velero.velero import BACKUP, PATIENCE

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.velero.movers import Movers
    from tests.velero.site import Site


@contextmanager
def midst(
    site: Site, name: str, limit: int, pods: int, volumes: int, running: int | None = None
) -> Iterator[Movers]:
    """Its movers; while the block lasts, those that run do not get on.

    They wait for S3 to answer, so it is to be left within some ten seconds. `running` is how many
    there will be, if not as many as the limit.
    """
    site.limit(limit)
    site.workload(name, pods, volumes).checksums()
    movers = site.movers(BACKUP, name)
    site.velero.back_up(name, name)
    # From here on only the movers need S3: Velero has made the repository.
    until(movers.names, f"{name} has a volume to back up", PATIENCE, 0.05)
    with site.storage.frozen():
        movers.wait_made(pods * volumes)
        movers.wait_running(limit if running is None else running)
        movers.wait_phase("InProgress", len(movers.running()))
        yield movers
