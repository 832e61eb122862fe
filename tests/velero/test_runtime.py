"""What `ctr events` prints becomes the times of containers."""

from __future__ import annotations

from datetime import UTC, datetime

from tests.velero.runtime import Run, runs

LABELS = {
    "main-1": {
        "io.cri-containerd.kind": "container",
        "io.kubernetes.container.name": "main",
        "io.kubernetes.pod.name": "mover",
        "io.kubernetes.pod.namespace": "velero",
    },
    "sandbox": {"io.kubernetes.pod.name": "mover", "io.kubernetes.pod.namespace": "velero"},
}
LABELS["main-2"] = LABELS["main-1"]


def line(at: str, topic: str, content: str) -> str:
    return f"2026-11-22 16:38:{at} +0000 UTC k8s.io {topic} {content}\n"


def seconds(at: float) -> float:
    return datetime(2026, 11, 22, 16, 38, tzinfo=UTC).timestamp() + at


def task(at: str, event: str, container: str) -> str:
    return line(at, f"/tasks/{event}", f'{{"container_id":"{container}","pid":7}}')


def end(container: str, process: str, at: str, rest: str = "") -> str:
    told = f'{{"container_id":"{container}","id":"{process}","exited_at":"{at}"{rest}}}'
    return line("59.9", "/tasks/exit", told)


STARTED = task("57.5", "create", "main-1") + task("57.77778224", "start", "main-1")


def run(ended: float | None = None, code: int | None = None) -> Run:
    at = None if ended is None else seconds(ended)
    return Run("mover", "velero", "main", seconds(57.777782), at, seconds(57.5), code)


def test_a_start_has_the_time_of_its_event_and_an_end_its_own() -> None:
    assert runs(STARTED, LABELS) == [run()]
    after = STARTED + end("main-1", "main-1", "2026-11-22T16:38:58.008137284Z")
    assert runs(after, LABELS) == [run(58.008137, 0)]
    killed = STARTED + end("main-1", "main-1", "2026-11-22T16:38:59Z", ',"exit_status":137')
    assert runs(killed, LABELS) == [run(59, 137)]


def test_the_end_of_a_probe_is_not_that_of_its_container() -> None:
    assert runs(STARTED + end("main-1", "probe", "2026-11-22T16:38:58Z"), LABELS) == [run()]


def test_a_sandbox_and_a_line_that_is_half_there_are_nothing() -> None:
    sandbox = task("57", "create", "sandbox") + task("57", "start", "sandbox")
    assert runs(sandbox, LABELS) == []
    assert runs(STARTED.rstrip("\n"), LABELS) == []


def test_containers_stand_in_the_order_of_their_starts() -> None:
    first = task("57", "create", "main-1")
    second = task("58", "create", "main-2") + task("58.5", "start", "main-2")
    found = runs(first + second + task("58.6", "start", "main-1"), LABELS)
    assert [one.created for one in found] == [seconds(58), seconds(57)]
