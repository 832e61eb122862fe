"""The data mover Pods of one backup or restore, and what the runtime says of their containers."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from coordinator.core.movers import is_governed
from tests.e2e.waiting import until
from tests.velero import injected
from tests.velero.measure import Job, most_at_once
from tests.velero.velero import NAMESPACE

if TYPE_CHECKING:
    from tests.velero.runtime import Run
    from tests.velero.site import Site


class Movers:
    """`kind` is `velero.BACKUP` or `velero.RESTORE`, `owner` the name of the Backup or Restore."""

    def __init__(self, site: Site, kind: str, owner: str) -> None:
        self._site = site
        self._kind = kind
        self._owner = owner

    def names(self) -> list[str]:
        """Of the custom resources, which are those of the Pods."""
        return list(self._site.velero.volumes(self._kind, self._owner))

    def phases(self) -> list[str]:
        """Of the custom resources."""
        return sorted(self._site.velero.phases(self._kind, self._owner).values())

    def pods(self) -> dict[str, Any]:
        """Those that exist now."""
        names = self.names()
        found = self._site.kubectl.get("pods")["items"]
        return {pod["metadata"]["name"]: pod for pod in found if pod["metadata"]["name"] in names}

    def governed(self) -> list[str]:
        """Names of those that exist now and have the sidecar's label."""
        pods = self.pods().items()
        return [name for name, pod in pods if is_governed(pod["metadata"]["labels"])]

    def runs(self) -> list[Run]:
        """Their own containers, so far."""
        return [run for run in self._all_runs() if run.container != injected.NAME]

    def sidecars(self) -> list[Run]:
        """Their sidecars, so far; one that was started again stands there twice."""
        return [run for run in self._all_runs() if run.container == injected.NAME]

    def restarts(self, pod: str) -> int:
        """How often that one's sidecar was started again."""
        return self._site.kubectl.restarts(pod, injected.NAME)

    def kill_sidecar(self, pod: str) -> None:
        """`kill -9`, on its node."""
        self._site.kill(self._site.kubectl.container(pod, injected.NAME))

    def sidecar_says(self, pod: str) -> str:
        """What `kubectl logs` prints of it, since its last start."""
        return self._site.kubectl.outcome("logs", pod, f"--container={injected.NAME}")[1]

    def _all_runs(self) -> list[Run]:
        names = self.names()
        return [run for run in self._site.runtime.runs(NAMESPACE) if run.pod in names]

    def running(self) -> list[str]:
        """Names of those whose own container runs now."""
        return [run.pod for run in self.runs() if run.ended is None]

    def wait_ended(self) -> None:
        """Until the runtime has told every end: its journal and Velero are heard of apart."""
        until(
            lambda: all(run.ended for run in self._all_runs()),
            f"all containers of {self._owner} have ended",
            between=0.2,
        )

    def most_at_once(self) -> int:
        """How many ran at the same moment; each from the earliest moment it can have begun."""
        jobs = [Job(run.pod, run.created, run.created, run.ended) for run in self.runs()]
        return most_at_once(jobs)

    def beside(self, one: Run) -> int:
        """How many others ran at the moment when that one began."""
        others = [run for run in self.runs() if run != one and run.created <= one.created]
        return len([run for run in others if run.ended is None or run.ended > one.created])

    def wait_running(self, count: int) -> list[str]:
        """Until so many run; who."""
        return until(
            lambda: found if len(found := self.running()) == count else [],
            f"{count} movers of {self._owner} run",
            between=0.1,
        )

    def wait_phase(self, phase: str, count: int) -> None:
        """Until Velero says that of so many volumes."""
        until(lambda: self.phases().count(phase) == count, f"{count} are {phase}", between=0.2)

    def wait_made(self, count: int) -> list[str]:
        """Until there are Pods of so many; who."""
        return until(
            lambda: list(found) if len(found := self.pods()) == count else [],
            f"{count} movers of {self._owner} exist",
            between=0.2,
        )
