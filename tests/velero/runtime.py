"""The runtime's own journal: when each container ran, as containerd's shims tell it.

`ctr events` prints each event with the time at which it was sent, not that of its printing. A start
is sent by the container's shim right after `runc start` came back, so the program may have begun
some milliseconds earlier, but not before `created`, when its process was made ready and held back.
An end has a time of its own in the event: when the shim took the process off the kernel's hands.
"""

from __future__ import annotations

import json
import threading
from dataclasses import dataclass, replace
from datetime import datetime
from typing import TYPE_CHECKING, Any, Self

from tests.e2e.waiting import until
from tests.realserver.process import Process

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from pathlib import Path

    from tests.kubelet.containerd import Containerd

    Labels = Mapping[str, str]

_POD, _CONTAINER = "io.kubernetes.pod", "io.kubernetes.container.name"
_BETWEEN_LOOKS = 0.05


@dataclass(frozen=True)
class Run:
    """One container from its start to its end; seconds since 1970, with microseconds.

    A container that was started again stands there once for each start.
    """

    pod: str
    namespace: str
    container: str
    started: float
    ended: float | None
    created: float
    """The earliest moment at which its program can have begun."""
    code: int | None
    """Its exit code: 128 + N when signal N ended it."""


class RuntimeJournal:
    """Writes from entering to leaving what a node's containerd tells."""

    def __init__(self, containerd: Containerd, folder: Path) -> None:
        self._containerd = containerd
        self._log = folder / "events.log"
        self._labels: dict[str, Labels] = {}
        self._missed: list[str] = []
        self._read = 0
        self._one_reader = threading.Lock()
        self._over = threading.Event()
        self._events: Process | None = None
        self._reader = threading.Thread(target=self._read_on, daemon=True)

    def __enter__(self) -> Self:
        self._events = Process(self._containerd.asking("events"), self._log)
        until(self._is_told, "containerd tells its events")
        self._reader.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._over.set()
        self._reader.join()
        if self._events is not None:
            self._events.end()

    def runs(self, namespace: str = "") -> list[Run]:
        """What ran so far, there or anywhere, by its start. Sandboxes are no containers."""
        assert self._events is not None
        assert self._events.is_running(), self._events.last_words()
        self._name_new()
        assert not self._missed, f"containers that went before anybody asked: {self._missed}"
        found = runs(self._log.read_text(), self._labels)
        return [run for run in found if namespace in ("", run.namespace)]

    def _is_told(self) -> str:
        """Gives it something to tell."""
        self._containerd.asked("namespaces", "label", "k8s.io", "node-slots=listens")
        return self._log.read_text()

    def _read_on(self) -> None:
        while not self._over.wait(_BETWEEN_LOOKS):
            self._name_new()

    def _name_new(self) -> None:
        """Asks whose each new container is, while it is still there."""
        with self._one_reader, self._log.open() as log:
            log.seek(self._read)
            lines = "".join(log.read().rpartition("\n")[:2])
            self._read += len(lines)  # all of it is ASCII
            for _, topic, event in _events(lines):
                if topic == "/containers/create":
                    self._labels[event["id"]] = self._labels_of(event["id"])

    def _labels_of(self, container: str) -> Labels:
        told = self._containerd.asked("containers", "info", container)
        if told.returncode != 0:
            self._missed.append(container)
            return {}
        return json.loads(told.stdout)["Labels"] or {}


def runs(log: str, labels: Mapping[str, Labels]) -> list[Run]:
    """What `ctr events` printed, with each container's labels, by the start."""
    created: dict[str, float] = {}
    found: dict[str, Run] = {}
    for at, topic, event in _events(log):
        container = event.get("container_id", "")
        named = labels.get(container, {})
        if _CONTAINER not in named:
            continue
        if topic == "/tasks/create":
            created[container] = at
        elif topic == "/tasks/start":
            found[container] = _started(named, at, created[container])
        elif topic == "/tasks/exit" and event["id"] == container and container in found:
            found[container] = _ended(found[container], event)
    return sorted(found.values(), key=lambda run: run.started)


def _started(labels: Labels, at: float, created: float) -> Run:
    pod, namespace = labels[f"{_POD}.name"], labels[f"{_POD}.namespace"]
    return Run(pod, namespace, labels[_CONTAINER], at, None, created, None)


def _ended(run: Run, event: Any) -> Run:
    at = datetime.fromisoformat(event["exited_at"]).timestamp()
    return replace(run, ended=at, code=event.get("exit_status", 0))


def _events(log: str) -> Iterator[tuple[float, str, Any]]:
    """Time, topic and content of each whole line."""
    for line in filter(None, log.rpartition("\n")[0].split("\n")):
        date, time, _, _, _, topic, content = line.split(" ", 6)
        yield datetime.fromisoformat(f"{date}T{time}Z").timestamp(), topic, json.loads(content)
