"""Movers of volume snapshots (DataUpload, DataDownload): their Pods are governed as all others."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import pytest

from tests.e2e.waiting import until
from tests.velero.data_movers import DataMovers
from tests.velero.site import COORDINATOR

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from tests.velero.site import Site

pytestmark = pytest.mark.velero
FIRST, UPLOADS = ("upload-1", "upload-2"), ("upload-3", "upload-4", "upload-5", "upload-6")
DOWNLOADS = ("download-1", "download-2")
LIMIT = 2


@pytest.fixture
def movers(site: Site, tmp_path: Path) -> Iterator[DataMovers]:
    """None yet; those that a test makes are taken away after it."""
    site.limit(LIMIT)
    made = DataMovers(site, tmp_path)
    yield made
    made.remove()


@pytest.fixture
def headroom(site: Site) -> Iterator[None]:
    """The coordinator keeps one slot of each node for restores."""
    place = "/spec/template/spec/containers/0/args/-"
    change = json.dumps([{"op": "add", "path": place, "value": "--restore-headroom=1"}])
    site.kubectl("patch", COORDINATOR, "--type=json", f"--patch={change}")
    site.kubectl.wait_rolled_out(COORDINATOR)
    yield
    site.kubectl("rollout", "undo", COORDINATOR)
    site.kubectl.wait_rolled_out(COORDINATOR)


def start(movers: DataMovers, *waiting: str) -> list[str]:
    """Two uploads run, and these wait; who, in the order of the queue."""
    movers.upload(*FIRST)
    movers.wait_running(LIMIT)
    movers.upload(*waiting)
    return [one["load"] for one in movers.wait_queue(waiting)]


def test_downloads_that_come_last_go_before_uploads_and_two_run_at_once(
    site: Site, movers: DataMovers
) -> None:
    uploads = start(movers, *UPLOADS)
    movers.download(*DOWNLOADS)
    queue = [one["load"] for one in movers.wait_queue([*UPLOADS, *DOWNLOADS])]
    assert sorted(queue[:2]) == sorted(DOWNLOADS)
    assert queue[2:] == uploads, "first come, first served"
    order = [run.pod for run in movers.runs()]
    for number, following in enumerate(queue):
        movers.end(order[number])
        order.append(following)
        movers.wait_order(order)
    movers.end(*order)
    until(lambda: not site.holders(), "no holder is left")
    assert movers.most_at_once() == LIMIT
    assert [run.code for run in movers.runs()] == [0] * len(order)


def test_a_claim_is_the_pods_uid_and_its_load_the_custom_resource(movers: DataMovers) -> None:
    (waiting,) = start(movers, "upload-3")
    pods = movers.pods()
    assert sorted(movers.governed()) == sorted(pods) == [*FIRST, waiting]
    uids = {name: pod["metadata"]["uid"] for name, pod in pods.items()}
    (queued,) = movers.wait_queue([waiting])
    assert queued["claim"] == queued["podUid"] == uids[waiting]
    held = {holder["load"]: holder for holder in movers.holders()}
    assert {load: holder["claim"] for load, holder in held.items()} == {
        name: uids[name] for name in FIRST
    }
    assert [held[name]["pod"] for name in FIRST] == [f"velero/{name}" for name in FIRST]


def test_velero_takes_a_mover_for_prepared_when_it_has_its_slot(movers: DataMovers) -> None:
    """The node-agent's own judgement of Pods that it did not make."""
    start(movers, "upload-3")
    movers.wait_phase("Prepared", LIMIT)
    assert movers.phases() == ["Accepted", "Prepared", "Prepared"]
    movers.end(FIRST[0])
    movers.wait_phase("Prepared", LIMIT + 1)


@pytest.mark.usefixtures("headroom")
def test_with_headroom_an_upload_waits_beside_a_free_slot_that_a_download_gets(
    movers: DataMovers,
) -> None:
    movers.upload("upload-1")
    movers.wait_running(1)
    movers.upload("upload-2")
    movers.wait_queue(["upload-2"])
    movers.download("download-1")
    movers.wait_order(["upload-1", "download-1"])
    movers.wait_queue(["upload-2"])


def test_a_pod_that_is_deleted_while_it_waits_leaves_the_queue(
    site: Site, movers: DataMovers
) -> None:
    gone, patient = start(movers, *UPLOADS[:2])
    site.kubectl("delete", "pod", gone, "--wait=false")
    movers.wait_queue([patient])
    movers.end(FIRST[0])
    until(lambda: patient in movers.running(), "the next one has the slot")
    assert gone not in [run.pod for run in movers.runs()]


def test_a_deleted_pods_slot_is_free_when_its_containers_have_ended(
    site: Site, movers: DataMovers
) -> None:
    """With grace 0 the Pod is gone at once, and its program two seconds later."""
    (patient,) = start(movers, UPLOADS[0])
    site.kubectl("delete", "pod", FIRST[0], "--wait=false")
    until(lambda: FIRST[0] not in movers.pods(), "the Pod is gone")
    until(lambda: patient in movers.running(), "the next one has the slot")
    assert movers.most_at_once() == LIMIT
    (run,) = (run for run in movers.runs() if run.pod == FIRST[0])
    assert run.code == 137, "it ended by SIGKILL"
    assert FIRST[0] not in [holder["load"] for holder in movers.holders()]
