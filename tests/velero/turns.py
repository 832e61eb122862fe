"""One backup under one limiter, and all that is noted of it: figures.py makes them take turns."""

from __future__ import annotations

import re
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path
from typing import TYPE_CHECKING, Any

from tests.e2e.waiting import until
from tests.kubelet.kubectl import running
from tests.velero.measure import Job
from tests.velero.velero import BACKUP

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.velero.moments import Moments
    from tests.velero.movers import Movers
    from tests.velero.phases import Course, Phases
    from tests.velero.site import Site

PODS, VOLUMES, LIMIT = 4, 3, 2
COUNT = PODS * VOLUMES
_WAITERS = COUNT // 2
"""So many wait when their memory is measured."""
_WAITS = ("", "New", "Accepted", "Prepared")
_REQUESTS = re.compile(r"^apiserver_request_total\{.*\} (\S+)$", re.MULTILINE)


@dataclass(frozen=True)
class Turn:
    """One backup; each mover stands there three times, in the order in which the movers came."""

    limiter: str
    phases: tuple[Job, ...]
    """From the custom resource's creation, through InProgress, to its end."""
    work: tuple[Job, ...]
    """From its creation, through its data's first move, to the last."""
    containers: tuple[Job, ...]
    """From its creation, through its own container's start, to that one's end."""
    chains: tuple[tuple[float, ...], ...]
    """The moments of each slot's hand-over, in the order of `STEPS`; only where there are slots."""
    memory: tuple[float, ...]
    """MiB of each mover that waited (all programs of its Pod, shared pages in part)."""
    requests: float
    """What the API server was asked by everybody, from the backup's creation to its end."""


STEPS = (
    "the last one's data has moved",
    "its container has ended",
    "its slot is granted to the next one",
    "that one's container starts",
    "Prepared",
    "InProgress",
    "its data moves",
)


def take(site: Site, name: str, limiter: str, phases: Phases, moments: Moments) -> Turn:
    """Backs up a new workload of that name, once."""
    site.workload(name, PODS, VOLUMES).checksums()
    before = requests(site)
    site.velero.back_up(name, name)
    memory = _waiting_memory(site, name, phases)
    phase = site.velero.wait("backup", name)
    asked = requests(site) - before
    assert phase == "Completed", f"{name}: {phase}\n{site.words()}"
    movers = site.movers(BACKUP, name)
    courses = until(lambda: _ended(phases.courses(name)), "all ends are heard of")
    jobs = tuple(course.job for course in courses)
    work = until(lambda: _worked(jobs, moments), "all data has moved")
    runs = _containers(movers, jobs)
    found = tuple(chains(courses, work, runs, moments))
    site.clear()
    return Turn(limiter, jobs, work, runs, found, tuple(memory), asked)


def requests(site: Site) -> float:
    """All that this API server was ever asked, watches too."""
    return sum(map(float, _REQUESTS.findall(site.kubectl("get", "--raw", "/metrics"))))


def _ended(courses: list[Course]) -> list[Course]:
    return courses if len([one for one in courses if one.job.ended]) == COUNT else []


def _worked(jobs: tuple[Job, ...], moments: Moments) -> tuple[Job, ...]:
    work = tuple(moments.work(job) for job in jobs)
    return work if all(job.started and job.ended for job in work) else ()


def _containers(movers: Movers, jobs: tuple[Job, ...]) -> tuple[Job, ...]:
    runs = {run.pod: run for run in movers.runs()}
    found = ((job, runs[job.name]) for job in jobs)
    return tuple(Job(job.name, job.arrived, run.created, run.ended) for job, run in found)


def chains(
    courses: list[Course], work: tuple[Job, ...], runs: tuple[Job, ...], moments: Moments
) -> Iterator[tuple[float, ...]]:
    """Of each who waited when the holder before it ended."""
    whole = {
        course.name: (course.since, data, run)
        for course, data, run in zip(courses, work, runs, strict=True)
    }
    for holders in moments.grants.values():
        known = [(name, at) for name, at in holders if name in whole]
        for (last, _), (name, granted) in pairwise(known):
            (_, before, gone), (since, data, run) = whole[last], whole[name]
            if before.ended is not None and data.arrived <= before.ended:
                told = (before.ended, gone.ended, granted, run.started)
                yield _moments(*told, since["Prepared"], since["InProgress"], data.started)


def _moments(*seen: float | None) -> tuple[float, ...]:
    assert None not in seen, seen
    return tuple(moment for moment in seen if moment is not None)


def _waiting_memory(site: Site, name: str, phases: Phases) -> list[float]:
    """As soon as many wait: what each of them takes."""
    waiting = until(
        lambda: found if len(found := _waiting(site, name, phases)) >= _WAITERS else [],
        f"{_WAITERS} movers of {name} wait",
        between=0.5,
    )
    return [sum(map(_megabytes, containers)) for containers in _processes(site, waiting)]


def _waiting(site: Site, name: str, phases: Phases) -> list[Any]:
    """Pods with a program, of which Velero does not say that they work."""
    idle = {one.name for one in phases.courses(name) if set(one.since) <= set(_WAITS)}
    pods = site.kubectl.get("pods")["items"]
    return [pod for pod in pods if pod["metadata"]["name"] in idle and running(pod)]


def _processes(site: Site, pods: list[Any]) -> Iterator[list[int]]:
    for pod in pods:
        yield [pid for container in running(pod).values() for pid in site.node.pids(container)]


def _megabytes(pid: int) -> float:
    """Its memory, and its share of what it shares; 0 of one that has gone."""
    try:
        lines = Path(f"/proc/{pid}/smaps_rollup").read_text().splitlines()
    except OSError:
        return 0.0
    return sum(int(line.split()[1]) for line in lines if line.startswith("Pss:")) / 1024
