"""On the real API server: the admission policy keeps the coordinator from Leases of others."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.e2e.cluster import limits
from tests.e2e.processes import Site
from tests.e2e.waiting import until
from tests.e2e.wire import Http

if TYPE_CHECKING:
    from pathlib import Path

    from tests.e2e.cluster import Cluster

pytestmark = pytest.mark.real

OURS = {"app.kubernetes.io/managed-by": "node-slots"}
FENCE = "managed-by=node-slots"
"""What the policy says of what it refuses; a role that is not in force yet refuses otherwise."""
ELECTION = {"metadata": {"name": "other-election"}, "spec": {"holderIdentity": "its leader"}}


def _as_the_coordinator(site: Site) -> Http:
    """The API server, with the coordinator's own token."""
    server = site.cluster.server
    return Http(server.url, site.installation.token, server.ca_file)


def test_without_the_policy_its_role_reaches_every_lease_of_the_namespace(
    site: Site, cluster: Cluster
) -> None:
    """What the policy is for: RBAC cannot tell Leases apart."""
    site.installation.apply()
    cluster.make(cluster.lease_path, ELECTION)
    other = f"{cluster.lease_path}/other-election"
    api = _as_the_coordinator(site)
    until(lambda: api.delete(other).status == 200, "the role is in force, and reaches it")


def test_with_the_policy_no_foreign_lease_is_made_changed_taken_or_removed(
    cluster: Cluster, tmp_path: Path
) -> None:
    site = Site(cluster, tmp_path, extras=frozenset({"admission-policy"}))
    site.installation.apply()
    api, path = _as_the_coordinator(site), cluster.lease_path
    other, lease = f"{path}/other-election", cluster.make(path, ELECTION)
    until(lambda: FENCE in api.post(f"{path}?dryRun=All", ELECTION).text, "the policy is in force")

    stranger = {"metadata": {"name": "stranger"}, "spec": {}}
    taken = {**lease, "metadata": {**lease["metadata"], "labels": OURS}}
    answers = [
        api.post(path, stranger),
        api.put(other, {**lease, "spec": {"holderIdentity": "the coordinator"}}),
        api.put(other, taken),
        api.delete(other),
    ]
    assert [answer.status for answer in answers] == [403] * 4
    assert all(FENCE in answer.text for answer in answers)
    assert cluster.lease("other-election") == lease
    mine = {"metadata": {"name": "mine", "labels": OURS}, "spec": {}}
    made = api.post(path, mine)
    assert made.status == 201, made.raw
    stripped = {**made.json, "metadata": {**made.json["metadata"], "labels": {}}}
    assert api.put(f"{path}/mine", stripped).status == 403, "nor does it let go of one"
    assert api.delete(f"{path}/mine").status == 200


def test_with_the_policy_an_operator_frees_a_slot_as_ever(cluster: Cluster, tmp_path: Path) -> None:
    site = Site(cluster, tmp_path, extras=frozenset({"admission-policy"}))
    try:
        node = cluster.add_node()
        cluster.configure(limits(1))
        site.start()
        lease = site.granted(node, "first")["lease"]
        cluster.delete_lease(lease)
        assert site.granted(node, "second")["lease"] == lease
    finally:
        site.close()
