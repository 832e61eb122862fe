"""On the real API server: the limit holds, and follows the ConfigMap, the labels and the hold."""

from __future__ import annotations

import re
import shutil
import subprocess
from typing import TYPE_CHECKING, Any

import pytest

from tests.e2e.cluster import AGENTS, limits
from tests.e2e.waiting import until

if TYPE_CHECKING:
    from tests.e2e.cluster import Cluster
    from tests.e2e.processes import Site

pytestmark = pytest.mark.real

MICRO_TIME = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{6}Z")


def _lease_shows(lease: Any, node: str, load: str, pod: str, namespace: str) -> None:
    """The record as design section 5 fixes it."""
    head, spec = lease["metadata"], lease["spec"]
    notes = {key.removeprefix("nodeslots.io/"): text for key, text in head["annotations"].items()}
    assert spec["holderIdentity"] == f"{pod}/{load}"
    assert MICRO_TIME.fullmatch(spec["acquireTime"])
    assert MICRO_TIME.fullmatch(spec["renewTime"])
    assert spec["leaseTransitions"] == 1
    assert "leaseDurationSeconds" not in spec
    assert head["labels"] == {
        "app.kubernetes.io/managed-by": "node-slots",
        "nodeslots.io/node": node,
        "velero.io/exclude-from-backup": "true",
    }
    assert re.fullmatch(r"[0-9a-f]{32}", notes.pop("claim"))
    assert int(notes.pop("fencing-token")) < int(head["resourceVersion"])
    pod_note = f"{namespace}/{pod}"
    told = {"node": node, "load": load, "priority": "3", "ttl-seconds": "45", "pod": pod_note}
    told["owner"] = f"{namespace}/{AGENTS}"
    assert notes == told


def _kubectl_prints(cluster: Cluster, lease: str, holder: str) -> None:
    """Where there is a kubectl, its own words count."""
    kubectl = shutil.which("kubectl")
    if kubectl is None:
        return
    command = [kubectl, "--kubeconfig", str(cluster.server.kubeconfig), "get", "leases"]
    told = subprocess.run(
        [*command, "-n", cluster.namespace], capture_output=True, text=True, check=True
    )
    assert re.search(rf"^{lease}\s+{holder}\s", told.stdout, re.MULTILINE), told.stdout


def test_a_held_slot_is_a_lease_that_names_its_holder_and_a_free_one_names_nobody(
    site: Site, cluster: Cluster
) -> None:
    node = cluster.add_node()
    cluster.configure(limits(1))
    site.start()
    agent = site.agent("backup-7", node, "--priority", "3", "--ttl", "45", pod="uploader")
    site.journal.wait_started("backup-7")

    lease = f"{node}-slot-0"
    _lease_shows(cluster.lease(lease), node, "backup-7", "uploader", cluster.namespace)
    assert cluster.printed_leases() == {lease: "uploader/backup-7"}
    _kubectl_prints(cluster, lease, "uploader/backup-7")
    told = site.journal.entries[0].slot
    assert (told["SLOT_LEASE"], told["SLOT_ORDINAL"]) == (lease, "0")
    token = cluster.lease(lease)["metadata"]["annotations"]["nodeslots.io/fencing-token"]
    assert told["SLOT_FENCING_TOKEN"] == token

    site.journal.end_all()
    assert agent.exit_code() == 0
    free = cluster.lease(lease)
    assert free["spec"] == {"holderIdentity": "", "leaseTransitions": 1}
    assert free["metadata"]["annotations"] == {"nodeslots.io/node": node}
    assert cluster.printed_leases() == {lease: ""}


def test_never_more_loads_run_at_once_than_their_node_has_slots_and_all_of_them_run(
    site: Site, cluster: Cluster
) -> None:
    first, second = cluster.add_node(1, tier="big"), cluster.add_node(2)
    cluster.configure(limits(1, big=2))
    site.start()
    agents = {
        f"load-{number}": site.agent(f"load-{number}", node, seconds=0.1, code=number)
        for number, node in enumerate([first] * 5 + [second] * 3)
    }
    until(lambda: len(site.queue(first)) == 3 and len(site.queue(second)) == 2, "five wait")
    until(lambda: len(site.journal.running) == 3, "three run")
    site.journal.end_all()

    codes = {load: agent.exit_code() for load, agent in agents.items()}

    assert codes == {load: number for number, load in enumerate(agents)}
    assert sorted(site.journal.started) == sorted(agents)
    assert site.journal.most_at_once(first) == 2
    assert site.journal.most_at_once(second) == 1
    assert cluster.holders() == {}
    assert set(cluster.leases()) == {f"{first}-slot-0", f"{first}-slot-1", f"{second}-slot-0"}


def test_an_edit_of_the_configmap_is_followed_at_once_and_lowering_it_evicts_nobody(
    site: Site, cluster: Cluster
) -> None:
    node = cluster.add_node()
    cluster.configure(limits(1))
    site.start()
    agents = [site.agent(f"load-{number}", node) for number in range(4)]
    until(lambda: len(site.journal.running) == 1 and len(site.queue(node)) == 3, "one of four")

    cluster.configure(limits(3))
    until(lambda: len(site.journal.running) == 3, "three of four")
    site.wait_limit(node, 3)

    cluster.configure(limits(1))
    site.wait_limit(node, 1)
    running = site.journal.running
    assert len(running) == 3
    assert len(cluster.holders()) == 3
    assert site.node(node)["held"] == 3

    in_first = _held_by(cluster, f"{node}-slot-0")
    for load in running - {in_first}:
        site.journal.end(load)
    until(lambda: set(cluster.leases()) == {f"{node}-slot-0"}, "surplus Leases removed")
    assert site.journal.running == {in_first}, "two slots too many were freed, not granted"
    assert len(site.journal.started) == 3

    site.journal.end_all()
    assert [agent.exit_code() for agent in agents] == [0, 0, 0, 0]
    assert len(site.journal.started) == 4
    assert site.journal.most_at_once(node) == 3


def _held_by(cluster: Cluster, lease: str) -> str:
    """The load that the Lease names."""
    return str(cluster.lease(lease)["metadata"]["annotations"]["nodeslots.io/load"])


def test_an_edit_of_a_nodes_labels_moves_its_limit_and_not_its_neighbours(
    site: Site, cluster: Cluster
) -> None:
    node, other = cluster.add_node(1), cluster.add_node(2)
    cluster.configure(limits(1, big=2))
    site.start()
    site.granted(node, "first")
    assert site.ask(node, "second").status == 202

    cluster.label(node, tier="big")
    assert site.granted(node, "second")["slot"] == 1
    assert site.node(node)["limit"] == 2
    assert "tier" in site.node(node)["decidedBy"]
    assert site.node(other)["limit"] == 1

    cluster.label(node, tier=None)
    site.wait_limit(node, 1)
    assert site.node(node)["held"] == 2, "who holds, keeps"


def test_a_held_back_node_grants_nothing_says_why_and_goes_on_when_that_is_lifted(
    site: Site, cluster: Cluster
) -> None:
    node = cluster.add_node()
    cluster.configure(limits(2))
    site.start()
    site.granted(node, "early")
    cluster.hold(node, "disk is being replaced")
    until(lambda: site.node(node)["hold"] == "disk is being replaced", "hold seen")

    late = site.agent("late", node)
    late.wait_said("disk is being replaced")
    (waiting,) = site.node(node)["queue"]
    state = site.api.get(site.claim_path(node, waiting["claim"])).json
    assert "disk is being replaced" in state["reason"]
    assert site.journal.started == []
    assert list(cluster.holders().values()) == ["early"], "who holds, keeps"

    cluster.hold(node, None)
    site.journal.wait_started("late")
    site.journal.end_all()
    assert late.exit_code() == 0
