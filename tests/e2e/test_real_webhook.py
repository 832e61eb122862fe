"""On the real API server: it calls the coordinator's webhook, over TLS that the coordinator keeps.

The coordinator has the rights of the manifests and of `deploy/velero/webhook-rights.yaml`, and no
more.
"""

from __future__ import annotations

import signal
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

import jsonpatch
import pytest
from cryptography import x509

from coordinator.core.movers import Kind
from coordinator.injection import operations
from coordinator.tls.names import names_of
from coordinator.tls.plan import Plan, carry_out
from coordinator.tls.secret import decoded, encoded
from coordinator.tls.stored import read
from tests.e2e.cluster import limits
from tests.e2e.processes import LOOPBACK, Site
from tests.e2e.waiting import DEADLINE, until
from tests.e2e.webhook import Webhook, is_governed, mover

if TYPE_CHECKING:
    from pathlib import Path

    from tests.e2e.cluster import Cluster

pytestmark = pytest.mark.real


@pytest.fixture
def webhook(site: Site, cluster: Cluster) -> Webhook:
    """Nothing is applied yet and nobody serves it; there is a node with one slot."""
    cluster.add_node()
    cluster.configure(limits(1))
    return Webhook(site)


def _served(webhook: Webhook, site: Site) -> None:
    """The coordinator is up, its authority published by itself, and the API server asks it."""
    webhook.apply(site.url)
    site.start(*webhook.flags)
    until(lambda: webhook.bundle, f"the authority is published: {site.coordinator.output}")
    _injected(webhook, site)


def _injected(webhook: Webhook, site: Site) -> None:
    until(webhook.injects, f"a mover gets the sidecar: {site.coordinator.output}")


def _made(webhook: Webhook, pod: dict[str, Any]) -> dict[str, Any]:
    answer = webhook.make(pod)
    assert answer.status == 201, answer.raw
    assert "warning" not in answer.headers
    return dict(answer.json)


def _admissions(site: Site, result: str) -> float:
    return site.coordinator.metric("nodeslots_admissions_total", result=result)


def test_a_mover_is_made_with_the_sidecar_of_the_one_source_and_no_other_pod_is_asked_about(
    site: Site, cluster: Cluster, webhook: Webhook
) -> None:
    wanted = {}
    for kind in Kind:
        pod = mover(kind.name.lower().replace("_", "-"), kind)
        changed = jsonpatch.apply_patch(pod, operations(webhook.sidecar, pod))
        wanted[kind] = webhook.make(changed, dry=True).json
    _served(webhook, site)
    asked = _admissions(site, "injected")
    for kind, expected in wanted.items():
        pod = _made(webhook, mover(expected["metadata"]["name"], kind))
        assert pod["metadata"]["labels"] == expected["metadata"]["labels"]
        assert pod["spec"] == expected["spec"]
        assert is_governed(pod)
    assert _admissions(site, "injected") == asked + len(wanted)

    plain = mover("plain") | {"metadata": {"name": "plain", "labels": {"app": "web"}}}
    assert not is_governed(_made(webhook, plain))
    given = jsonpatch.apply_patch(mover("given"), operations(webhook.sidecar, mover("given")))
    assert len(_made(webhook, given)["spec"]["initContainers"]) == 1
    elsewhere = cluster.add_namespace(f"{cluster.namespace}-more")
    answer = cluster.api.post(cluster.pod_path(elsewhere), mover("elsewhere"))
    assert answer.status == 201, answer.raw
    assert not is_governed(answer.json)
    assert _admissions(site, "left-alone") == _admissions(site, "unreadable") == 0


def test_without_a_coordinator_a_mover_is_made_as_velero_wants_it(
    site: Site, webhook: Webhook
) -> None:
    _served(webhook, site)
    assert site.stop() == 0
    assert not is_governed(_made(webhook, mover("ungoverned")))


def test_with_the_policy_fail_it_would_not_be_made(site: Site, webhook: Webhook) -> None:
    """The control: it is the webhook's absence that the test above lets pass."""
    _served(webhook, site)
    assert site.stop() == 0
    webhook.fail()
    refused = until(
        lambda: _unless(webhook.make(mover("probe"), dry=True)), "the new policy is in force"
    )
    assert "failed calling webhook" in refused.text


def _unless(answer: Any) -> Any:
    """The answer, unless it is a good one."""
    return None if answer.status == 201 else answer


def _change_secret(site: Site, *plans: Plan) -> None:
    """What the coordinator would store in time, now; without plans its Secret is emptied."""
    name, namespace = site.installation.options.name, site.cluster.namespace
    path = f"/api/v1/namespaces/{namespace}/secrets/{name}-tls"
    secret = site.cluster.api.get(path).json
    stored, data = read(decoded(secret)), {}
    for plan in plans:
        names = names_of(name, namespace, [LOOPBACK])
        stored = carry_out(plan, stored, names, datetime.now(UTC))
        data = stored.data()
    answer = site.cluster.api.put(path, encoded(secret, data))
    assert answer.status == 200, answer.raw


def _authorities(webhook: Webhook) -> list[x509.Certificate]:
    return x509.load_pem_x509_certificates(webhook.bundle)


@pytest.mark.slow
def test_when_its_authority_changes_the_api_server_believes_it_all_the_same(
    site: Site, webhook: Webhook
) -> None:
    _served(webhook, site)
    (first,) = _authorities(webhook)
    site.stop()
    succession = Plan(successor=True), Plan(authority="succeed", serving=True)
    _change_secret(site, *succession)
    site.serve(*webhook.flags).wait_alive()
    until(lambda: len(_authorities(webhook)) == 2, "both authorities are believed")
    second, last = _authorities(webhook)
    assert last == first != second
    _injected(webhook, site)
    site.stop()
    _change_secret(site)
    site.serve(*webhook.flags).wait_alive()
    until(lambda: len(_authorities(webhook)) == 1, "the authority made anew is believed")
    assert _authorities(webhook)[0] not in (first, second)
    _injected(webhook, site)


@pytest.mark.slow
def test_while_the_leader_is_dead_the_follower_answers(
    site: Site, cluster: Cluster, webhook: Webhook, tmp_path: Path
) -> None:
    _served(webhook, site)
    folder = tmp_path / "follower"
    folder.mkdir()
    follower = Site(cluster, folder)
    follower.installation, follower.mount = site.installation, site.mount
    try:
        follower.start(*webhook.flags)
        webhook.send_to(follower.url)
        until(lambda: _asked(webhook, follower), "the follower is asked")
        assert _leads(follower) == 0
        site.stop(signal.SIGKILL)
        assert is_governed(_made(webhook, mover("orphan")))
        webhook.forget()
        # It publishes when it comes to lead; should that have been before: each minute.
        until(lambda: webhook.bundle, "the follower publishes the authority again", 2 * DEADLINE)
        assert _leads(follower) == 1
        _injected(webhook, follower)
    finally:
        follower.close()


def _asked(webhook: Webhook, site: Site) -> bool:
    return webhook.injects() and site.coordinator.logged("admission") != []


def _leads(site: Site) -> int:
    """The sample without labels, of this replica alone."""
    shown = site.api.get("/metrics").text.splitlines()
    (line,) = [line for line in shown if line.startswith("nodeslots_leading ")]
    return int(float(line.split()[1]))


def test_a_configuration_of_somebody_else_keeps_its_authority(
    site: Site, cluster: Cluster, webhook: Webhook
) -> None:
    """Its first webhook has another name: the patch as a whole is refused, and that is told."""
    webhook.apply(site.url)
    webhook.rename("movers.example.org")
    site.start(*webhook.flags)
    wanted = "its first webhook has to be movers.nodeslots.io"

    def told() -> list[str]:
        errors = [line["error"] for line in site.coordinator.logged("CA not published")]
        return [error for error in errors if wanted in error]

    (error,) = until(told, f"{wanted}: {site.coordinator.output}")
    assert webhook.configuration in error
    assert webhook.bundle == b""
