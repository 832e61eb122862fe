"""The authority's certificate in the webhook's configuration, where the API server looks for it."""

from __future__ import annotations

import base64
import copy
from typing import Any

import pytest
from cryptography import x509

from coordinator.certified import places
from coordinator.flags import load
from coordinator.injection import webhook
from coordinator.tls.config_map import ConfigMap
from coordinator.tls.publisher import TICK
from coordinator.tls.webhook import MOVERS, Webhook
from tests.tls.scene import CLIENTS, HOME, Replica, Scene, config_map_path

NAME = "node-slots-movers"
PATH = f"/apis/admissionregistration.k8s.io/v1/mutatingwebhookconfigurations/{NAME}"
PATCH = ("PATCH", PATH)
PUTS = [("PUT", config_map_path(HOME)), ("PUT", config_map_path(CLIENTS))]
SERVICE = {"namespace": HOME, "name": "node-slots", "path": "/v1/admission/movers"}
APPLIED: dict[str, Any] = {
    "metadata": {"name": NAME},
    "webhooks": [
        {"name": MOVERS, "clientConfig": {"service": SERVICE}, "failurePolicy": "Ignore"},
        {"name": "another.example.org", "clientConfig": {"caBundle": "b3RoZXI="}},
    ],
}


@pytest.fixture
def replica(scene: Scene) -> Replica:
    """One that leads; the configuration is as the manifests have it."""
    scene.others[PATH] = copy.deepcopy(APPLIED)
    return scene.replica(more=[Webhook(HOME, NAME)])


async def looked(replica: Replica, bundle: bytes = b"first") -> float:
    replica.publisher.offer(bundle)
    return await replica.publisher.look()


def written(scene: Scene) -> bytes:
    """What the API server believes."""
    return base64.b64decode(scene.others[PATH]["webhooks"][0]["clientConfig"].get("caBundle", ""))


async def test_one_patch_writes_the_bundle_and_nothing_else(scene: Scene, replica: Replica) -> None:
    await looked(replica)
    assert scene.requests == [*PUTS, PATCH]
    wanted = copy.deepcopy(APPLIED)
    wanted["webhooks"][0]["clientConfig"]["caBundle"] = base64.b64encode(b"first").decode()
    assert scene.others[PATH] == wanted
    assert replica.publisher.has(b"first")


async def test_another_bundle_takes_its_place_and_else_nothing_is_asked(
    scene: Scene, replica: Replica
) -> None:
    await looked(replica)
    assert [await looked(replica) for _ in range(3)] == [TICK] * 3
    assert scene.requests.count(PATCH) == 1
    await looked(replica, b"second")
    assert written(scene) == b"second"


async def test_a_configuration_that_was_made_anew_is_filled_within_a_minute(
    scene: Scene, replica: Replica
) -> None:
    """Until then the API server believes nobody, and every mover starts without the sidecar."""
    await looked(replica)
    scene.others[PATH] = copy.deepcopy(APPLIED)
    scene.pass_time(seconds=60)
    await looked(replica)
    assert written(scene) == b"first"
    assert scene.requests == [*PUTS, PATCH, PATCH], "the ConfigMaps are not written with it"


async def test_it_is_written_again_by_a_new_leader(scene: Scene, replica: Replica) -> None:
    await looked(replica)
    scene.pass_time(seconds=60)
    await looked(replica)
    assert scene.requests.count(PATCH) == 2
    replica.leading = False
    await looked(replica)
    assert scene.requests.count(PATCH) == 2
    replica.leading = True
    await looked(replica)
    assert scene.requests.count(PATCH) == 3


@pytest.mark.parametrize(
    ("status", "told"),
    [
        (404, "velero install --injection webhook"),
        (403, "Missing right: mutatingwebhookconfigurations.admissionregistration.k8s.io: patch"),
    ],
)
async def test_without_the_configuration_or_the_right_agents_get_the_authority_all_the_same(
    scene: Scene,
    replica: Replica,
    capsys: pytest.CaptureFixture[str],
    status: int,
    told: str,
) -> None:
    scene.refusals[PATCH] = status
    await looked(replica)
    assert [await scene.published(HOME), await scene.published(CLIENTS)] == [b"first"] * 2
    assert replica.counted.unpublished == [HOME]
    shown = capsys.readouterr().out
    assert told in shown
    assert f"MutatingWebhookConfiguration {NAME}" in shown
    assert not replica.publisher.has(b"first"), "the API server does not believe it yet"
    scene.refusals.clear()
    scene.pass_time(seconds=31)
    await looked(replica)
    assert replica.publisher.has(b"first")
    assert scene.requests.count(PUTS[0]) == 1


async def test_a_webhook_of_another_name_keeps_its_authority(
    scene: Scene, replica: Replica, capsys: pytest.CaptureFixture[str]
) -> None:
    scene.others[PATH]["webhooks"].reverse()
    before = copy.deepcopy(scene.others[PATH])
    await looked(replica)
    assert scene.others[PATH] == before
    assert f"its first webhook has to be {MOVERS}" in capsys.readouterr().out
    assert replica.counted.unpublished == [HOME]


async def test_the_api_server_believes_a_successor_before_it_signs(
    scene: Scene, replica: Replica
) -> None:
    await replica.source.read()
    await replica.publisher.look()
    first = written(scene)
    scene.refusals[PATCH] = 403
    scene.pass_time(days=3650 - 360)  # the last year begins
    await replica.source.read()
    await replica.publisher.look()
    scene.pass_time(days=2)
    await replica.source.read()
    assert (await scene.stored()).authorities[0] == authority(first), "nobody succeeds yet"
    scene.refusals.clear()
    scene.pass_time(hours=1)
    await replica.publisher.look()
    both = (await scene.stored()).bundle
    assert written(scene) == both
    assert len(x509.load_pem_x509_certificates(both)) == 2
    await replica.source.read()
    assert (await scene.stored()).authorities[0] != authority(first)


def test_it_is_written_into_the_webhook_that_the_manifests_have() -> None:
    (applied,) = webhook(HOME, "node-slots")
    assert [hook["name"] for hook in applied["webhooks"]] == [MOVERS]
    assert load({"namespace": HOME}).webhook_configuration == applied["metadata"]["name"]


def authority(bundle: bytes) -> x509.Certificate:
    return x509.load_pem_x509_certificates(bundle)[0]


def test_the_configuration_is_a_place_only_where_the_webhook_is_served() -> None:
    maps = [ConfigMap(HOME, "node-slots-ca"), ConfigMap(CLIENTS, "node-slots-ca")]
    plain = load({"namespace": HOME})
    assert places(plain, [HOME, CLIENTS]) == maps
    told = {"inject_image": "node-slots:0.1.0", "webhook_configuration": "mine"}
    injecting = load({"namespace": HOME, **told})
    assert places(injecting, [HOME, CLIENTS]) == [*maps, Webhook(HOME, "mine")]
