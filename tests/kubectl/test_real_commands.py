"""On the real API server, with a real coordinator, real tokens and rights: every command."""

from __future__ import annotations

import signal
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import TYPE_CHECKING

import pytest
import yaml

from coordinator.kubectl import exits
from tests.e2e.cluster import CONFIG, Cluster, limits
from tests.e2e.people import on_leases
from tests.e2e.processes import SCRIPTS, Program, Site
from tests.e2e.waiting import until
from tests.kubectl.real import NOWHERE, Person, operator, person

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.realserver.server import RealApiServer

pytestmark = pytest.mark.real


@dataclass(frozen=True)
class Ground:
    """A coordinator, and three people: one may do all, one may look, one may do nothing."""

    site: Site
    operator: Person
    viewer: Person
    nobody: Person
    numbers: Iterator[int]
    threads: ThreadPoolExecutor

    def node(self, *loads: str) -> str:
        """A node of two slots, with these loads in Pods of their own: the first two hold."""
        cluster = self.site.cluster
        node = cluster.add_node(next(self.numbers))
        known = self.site.node_path(node)
        until(lambda: self.site.api.get(known).status == 200, "the coordinator has seen the node")
        pods = {load: cluster.add_pod(node, f"{load}-{node}") for load in loads}
        for load in loads[:2]:
            self.site.granted(node, load, pod=pods[load])
        for place, load in enumerate(loads[2:], start=3):  # who asks and goes is silent soon
            self.threads.submit(self.site.ask, node, load, pod=pods[load], waitSeconds=55)
            self.site.wait_queue(node, *loads[2:place])
        return node

    def holders(self, node: str) -> list[str]:
        """The loads that hold there, by slot."""
        slots = [slot for slot in self.site.node(node)["slots"] if slot["holder"]]
        return [slot["holder"]["load"] for slot in slots]


@pytest.fixture(scope="module")
def ground(
    real_server: RealApiServer, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Ground]:
    """One for the whole file; each case has a node of its own."""
    cluster = Cluster(real_server)
    site = Site(cluster, tmp_path_factory.mktemp("commands"))
    try:
        cluster.configure(limits(2, fast=3))
        site.start()
        viewer = person(site, "viewer", on_leases("get", "list"))
        people = operator(site), viewer, person(site, "nobody")
        with ThreadPoolExecutor() as threads:
            yield Ground(site, *people, iter(range(1, 1000)), threads)
            site.close()  # whoever waits is answered
    finally:
        site.close()
        cluster.close()


def test_whoever_may_list_leases_sees_nodes_queue_and_why(ground: Ground) -> None:
    node = ground.node("a", "b", "waits")
    told = ground.viewer("nodes", node)
    assert (told.code, told.err) == (exits.OK, "")
    assert told.row(node)[1:5] == ["Full", "2", "2", "1"]
    assert ground.viewer("node", node).lines[0].startswith(f"2 of 2 slots of {node} are held")
    explained = ground.viewer("explain", f"waits-{node}")
    assert explained.lines[0].startswith(f"waits waits on {node}")


def test_every_output_format_parses(ground: Ground) -> None:
    node = ground.node("a", "b", "waits")
    for words in (("nodes", node), ("node", node), ("explain", "waits"), ("version",)):
        as_json = ground.viewer(*words, "-o", "json")
        as_yaml = ground.viewer(*words, "-o", "yaml")
        assert (as_json.code, as_yaml.code) in {(exits.OK, exits.OK), (exits.WRONG, exits.WRONG)}
        assert as_json.json.keys() == yaml.safe_load(as_yaml.out).keys()


def test_who_may_do_nothing_is_told_which_right_is_missing(ground: Ground) -> None:
    node = ground.node("a")
    for words in ((), ("node", node), ("explain", node), ("watch",)):
        told = ground.nobody(*words)
        assert (told.code, told.out) == (exits.WRONG, ""), words
        assert "leases.coordination.k8s.io" in told.err, words


def test_who_may_only_look_can_free_nothing_either_way(ground: Ground) -> None:
    node = ground.node("a")
    for server in ("", NOWHERE):
        told = ground.viewer("release", f"{node}-slot-0", "--yes", server=server)
        assert told.code == exits.WRONG
        assert "delete leases.coordination.k8s.io" in told.err
    assert ground.holders(node) == ["a"]


def test_who_may_not_patch_nodes_is_told_so(ground: Ground) -> None:
    node = ground.node()
    told = ground.viewer("hold", node, "--reason", "x")
    assert told.code == exits.WRONG
    assert "you lack the right to patch nodes" in told.err
    assert "kubectl auth can-i patch nodes" in told.err


def test_a_release_by_the_coordinator_lets_the_next_one_in(ground: Ground) -> None:
    node = ground.node("a", "b")
    told = ground.operator("release", f"{node}-slot-1", "--yes")
    assert (told.code, told.out) == (exits.OK, f"{node}-slot-1 released by the coordinator\n")
    assert f"b-{node}" in told.err
    until(lambda: ground.holders(node) == ["a"], "free")
    assert ground.site.granted(node, "next")["slot"] == 1


def test_the_rights_that_a_release_needs_are_to_get_and_to_delete(ground: Ground) -> None:
    node = ground.node("a")
    freer = person(ground.site, "freer", on_leases("get", "delete"))
    told = freer("release", f"{node}-slot-0", "--yes")
    assert (told.code, told.out) == (exits.OK, f"{node}-slot-0 released by the coordinator\n")
    assert "not shown to you" in told.err


def test_a_release_without_a_coordinator_deletes_the_lease_and_it_hears_of_it(
    ground: Ground,
) -> None:
    node = ground.node("a", "b")
    told = ground.operator("release", f"{node}-slot-1", "--yes", server=NOWHERE)
    assert (told.code, told.out) == (
        exits.OK,
        f"{node}-slot-1 released: its Lease was deleted\n",
    )
    assert ground.site.granted(node, "next")["slot"] == 1
    assert ground.holders(node) == ["a", "next"]


def test_a_hold_stops_grants_and_unhold_lets_them_go_on(ground: Ground) -> None:
    node = ground.node()
    assert ground.operator("hold", node, "--reason", "new disk").code == exits.OK
    until(lambda: ground.site.node(node)["hold"] == "new disk", "on hold")
    assert ground.site.ask(node, "late").status == 202
    assert "new disk" in ground.viewer("explain", "late").lines[0]
    assert ground.viewer("nodes", node).row(node)[1] == "Free,OnHold"
    assert ground.operator("unhold", node).code == exits.OK
    ground.site.granted(node, "late")


def test_a_node_that_is_not_there_cannot_be_held(ground: Ground) -> None:
    told = ground.operator("hold", "no-such-node", "--reason", "x")
    assert told.code == exits.WRONG
    assert 'nodes "no-such-node" not found' in told.err


def test_without_a_coordinator_the_leases_are_shown_with_the_limits_that_one_may_read(
    ground: Ground,
) -> None:
    node = ground.node("a", "b", "waits")
    told = ground.operator("nodes", node, "--configmap", CONFIG, server=NOWHERE)
    assert told.code == exits.OK
    assert told.row(node)[1:] == ["Full", "2", "2", "<unknown>", "<unknown>", "globalConfig"]
    assert "no coordinator answered" in told.err
    poor = ground.viewer("nodes", node, server=NOWHERE)
    assert poor.row(node)[1:4] == ["Unknown", "<unknown>", "2"]
    assert "you lack the right to list nodes" in poor.err
    assert "you lack the right to get configmaps" in poor.err
    slots = ground.viewer("node", node, "-o", "json", server=NOWHERE).json["slots"]
    assert [slot["holder"]["pod"].partition("/")[2] for slot in slots] == [f"a-{node}", f"b-{node}"]


def test_check_previews_against_the_living_cluster(ground: Ground) -> None:
    node = ground.node("a", "b")
    ground.site.wait_limit(node, 2)
    told = ground.viewer("check", "-f", "-", stdin=limits(1, fast=3))
    assert told.code == exits.OK
    assert told.row(node) == [node, "2", "1", "2", "1", "globalConfig"]
    assert ground.site.node(node)["limit"] == 2
    strict = ground.viewer("check", "-f", "-", "--strict", stdin=limits(2, fast=3))
    assert strict.code == exits.WRONG, "no node here is fast"
    refused = ground.viewer("check", "-f", "-", stdin="{}}")
    assert (refused.code, "refused" in refused.out) == (exits.WRONG, True)
    assert ground.nobody("check", "-f", "-", stdin=limits(1)).code == exits.WRONG


def test_plain_kubectl_get_leases_says_pod_and_load(ground: Ground) -> None:
    cluster, node = ground.site.cluster, ground.node("a")
    mover = cluster.add_pod(node, f"mover-{node}")
    ground.site.granted(node, "m", load=f"mover-{node}", pod=mover)
    shown = cluster.printed_leases()
    assert shown[f"{node}-slot-0"] == f"a-{node}/a"
    assert shown[f"{node}-slot-1"] == f"mover-{node}", "one name, once"
    names = [name for name in shown if name.startswith("node")]
    assert names == sorted(names), "node by node"


def test_the_installed_program_watches_until_ctrl_c(ground: Ground) -> None:
    node, site = ground.node(), ground.site
    where = ["--kubeconfig", str(ground.viewer.kubeconfig), "-n", site.cluster.namespace]
    where += ["--ca-file", str(site.mount.file), "--server", site.url]
    command = [str(SCRIPTS / "kubectl-node_slots"), "watch", node, *where]
    program = Program(command, {}, site.folder / f"watch-{node}.log")
    try:
        program.wait_said("following the pool")
        site.granted(node, "seen")
        program.wait_said(f"{node} slot 0: granted to seen")
        program.send(signal.SIGINT)
        assert program.exit_code() == exits.OK
        assert ground.viewer.token not in program.output
    finally:
        program.end()
