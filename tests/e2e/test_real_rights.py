"""On the real API server: each verb of the manifests is needed, and none is missing."""

from __future__ import annotations

from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager
from functools import partial
from typing import TYPE_CHECKING

import pytest

from coordinator.install import Options, objects
from tests.e2e.cluster import Cluster
from tests.e2e.probes import PROBES, WEBHOOK_PROBES
from tests.e2e.rights import rights, without
from tests.e2e.scene import Scene
from tests.e2e.waiting import until
from tests.e2e.webhook import webhook_rights

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from tests.realserver.server import RealApiServer

RENDERED = rights(objects(Options(namespace="pool", clients=("client",))), "pool")
WEBHOOK = rights(webhook_rights("node-slots", "pool"), "pool")
"""What the webhook needs beside those."""
KEYS = [right.key for right in RENDERED]
WEBHOOK_KEYS = [right.key for right in WEBHOOK]
ALL_PROBES = PROBES | WEBHOOK_PROBES
SETTINGS = ("--long-wait", "1")


ALL = "all rights"
LOOK = 0.2
"""Seconds between two tries of a probe, which is several requests."""
SIDE_BY_SIDE = 4
"""Coordinators that lack a right at a time: mostly they wait to be denied."""


def test_every_verb_of_the_manifests_has_a_probe_and_every_probe_its_verb() -> None:
    assert sorted(KEYS) == sorted(PROBES)
    assert sorted(WEBHOOK_KEYS) == sorted(WEBHOOK_PROBES)
    assert not set(KEYS) & set(WEBHOOK_KEYS)


def test_no_rule_is_for_everything_and_the_one_for_secrets_is_for_one() -> None:
    assert all("*" not in (one.group, one.resource, one.verb) for one in RENDERED + WEBHOOK)
    assert {right.names for right in WEBHOOK} == {("node-slots-movers",)}
    secrets = {right.names for right in RENDERED if right.resource == "secrets"}
    assert secrets == {("node-slots-tls",)}


@contextmanager
def _scene(server: RealApiServer, folder: Path, *extras: str, injecting: bool) -> Iterator[Scene]:
    cluster = Cluster(server)
    scene = Scene(cluster, folder, *extras, injecting=injecting)
    try:
        yield scene
    finally:
        scene.site.close()
        cluster.close()


def _miss(server: RealApiServer, folder: Path, key: str) -> None:
    """Without this right its probe fails until the coordinator says what is missing, and after."""
    with _scene(server, folder, injecting=key in WEBHOOK_KEYS) as scene:
        installation = scene.site.installation
        found = rights(installation.objects, scene.cluster.namespace)
        (right,) = (one for one in found if one.key == key)
        installation.objects = without(installation.objects, right)
        scene.serve(*SETTINGS).wait_alive()

        def said() -> bool:
            assert not ALL_PROBES[key](scene), "it works all the same"
            return scene.said(right.missing)

        until(said, f"{right.missing}: see {scene.site.coordinator.log}", between=LOOK)
        assert not ALL_PROBES[key](scene)


def _use_all(server: RealApiServer, folder: Path) -> None:
    """With every right every probe succeeds; under the policy, too, that adds a fence."""
    with _scene(server, folder, "admission-policy", injecting=True) as scene:
        scene.serve(*SETTINGS).wait_ready()
        for key, probe in ALL_PROBES.items():
            scene.renew()
            until(lambda: scene.limit() == 2, "the new node", between=LOOK)
            log = scene.site.coordinator.log
            until(lambda: probe(scene), f"{key}: see {log}", between=LOOK)  # noqa: B023
        assert not scene.said("Missing right")


@pytest.fixture(scope="module")
def begun(
    request: pytest.FixtureRequest,
    real_server: RealApiServer,
    tmp_path_factory: pytest.TempPathFactory,
) -> Iterator[dict[str, Future[None]]]:
    """What comes of each right that a selected test leaves out, and of ALL; begun in advance."""
    keys = [_key(item) for item in request.session.items]
    wanted = sorted({key for key in keys if key}, key=lambda key: key != ALL)
    with ThreadPoolExecutor(SIDE_BY_SIDE) as threads:
        futures = {}
        for key in wanted:
            folder = tmp_path_factory.mktemp("rights")
            work = _use_all if key == ALL else partial(_miss, key=key)
            futures[key] = threads.submit(work, real_server, folder)
        yield futures
        threads.shutdown(cancel_futures=True)


def _key(item: pytest.Item) -> str:
    """Which of the coordinators a test of this file is about; "" for other tests."""
    if not isinstance(item, pytest.Function) or "begun" not in item.fixturenames:
        return ""
    found = getattr(item, "callspec", None)
    return str(found.params["key"]) if found else ALL


@pytest.mark.real
@pytest.mark.parametrize("key", [*KEYS, *WEBHOOK_KEYS])
def test_without_this_right_something_does_not_work_and_it_is_said_which(
    begun: dict[str, Future[None]], key: str
) -> None:
    begun[key].result()


@pytest.mark.real
def test_with_all_rights_everything_works_and_nothing_is_said_to_be_missing(
    begun: dict[str, Future[None]],
) -> None:
    begun[ALL].result()
