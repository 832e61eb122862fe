"""On the real API server: the admission policy does to mover Pods what `operations` says."""

from __future__ import annotations

import copy
from operator import itemgetter
from typing import TYPE_CHECKING, Any

import pytest

from coordinator.core.movers import GOVERNED, Kind
from coordinator.injection import Sidecar, operations, policy
from tests.e2e.cluster import Cluster
from tests.e2e.waiting import until
from tests.injection.judge import a_sidecar, injected
from tests.injection.movers import mover
from tests.realserver.server import RealApiServer

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.injection.movers import Pod

pytestmark = pytest.mark.real

TOKENS = "/var/run/secrets/kubernetes.io/serviceaccount"


class Velero:
    """Velero's namespace on an API server, perhaps with the policy."""

    def __init__(self, cluster: Cluster) -> None:
        self.cluster = cluster
        self.namespace = cluster.namespace
        self.sidecar: Sidecar = a_sidecar(self.namespace)
        cluster.add_account("velero")

    def mover(self, kind: Kind = Kind.POD_VOLUME_BACKUP, **more: Any) -> Pod:
        return mover(kind, self.namespace, **more)

    def tried(self, pod: Pod) -> Pod:
        """The Pod as it would be made."""
        head = pod["metadata"]
        path = f"/api/v1/namespaces/{head['namespace']}/pods?dryRun=All&fieldValidation=Strict"
        answer = self.cluster.api.post(path, pod)
        assert answer.status == 201, answer.text
        assert answer.headers.get("warning") is None
        made: Pod = answer.json
        return made

    def governed(self) -> Velero:
        """Itself once the policy is in force."""
        for one in policy(self.sidecar, self.namespace, self.namespace):
            self.cluster.apply(one)
        until(lambda: operations(self.sidecar, self.tried(self.mover())) == [], "it is in force")
        return self


@pytest.fixture(scope="module")
def server(real_server: RealApiServer) -> Iterator[RealApiServer]:
    """An API server of its own, which mounts the token of each Pod's ServiceAccount."""
    with RealApiServer(real_server.binaries, flags=()) as made:
        yield made


@pytest.fixture(scope="module")
def velero(server: RealApiServer) -> Iterator[Velero]:
    """Velero's namespace with the policy in force."""
    cluster = Cluster(server)
    yield Velero(cluster).governed()
    cluster.close()


@pytest.fixture(scope="module")
def free(server: RealApiServer) -> Iterator[Velero]:
    """Another one, without."""
    cluster = Cluster(server)
    yield Velero(cluster)
    cluster.close()


def compared(pod: Pod) -> Pod:
    """Without what each Pod has of its own: uid, times, the random name of the token's volume, and
    where in the list that is.
    """
    pod = copy.deepcopy(pod)
    for field in ("uid", "creationTimestamp", "managedFields"):
        del pod["metadata"][field]
    for volume in pod["spec"]["volumes"]:
        volume["name"] = _called(volume["name"])
    for container in (*pod["spec"]["containers"], *pod["spec"].get("initContainers", ())):
        for mount in container["volumeMounts"]:
            mount["name"] = _called(mount["name"])
    pod["spec"]["volumes"].sort(key=itemgetter("name"))
    return pod


def _called(volume: str) -> str:
    return "kube-api-access" if volume.startswith("kube-api-access-") else volume


def by_operations(velero: Velero, pod: Pod) -> Pod:
    """The same Pod with the operations applied by the caller, where no policy is."""
    changed = injected(velero.sidecar, pod)
    assert changed != pod
    return velero.tried(changed)


@pytest.mark.parametrize("kind", Kind)
def test_each_kind_of_mover_gets_the_sidecar_that_the_operations_say(
    kind: Kind, velero: Velero
) -> None:
    pod = velero.mover(kind)
    made = velero.tried(pod)
    assert compared(made) == compared(by_operations(velero, pod))
    (sidecar,) = made["spec"]["initContainers"]
    command = sidecar["command"]
    assert command[command.index("--priority") + 1] == ("100" if kind.restores else "0")
    assert command[command.index("--claim") + 1] == "$(POD_UID)"
    assert made["metadata"]["labels"][GOVERNED] == "true"


def test_what_the_pod_had_is_kept_and_the_sidecar_is_the_first(velero: Velero) -> None:
    pod = velero.mover()
    mine = {"name": "mine", "image": "example.org/none", "command": ["true"]}
    pod["spec"]["initContainers"] = [mine]
    made = velero.tried(pod)
    assert [one["name"] for one in made["spec"]["initContainers"]] == ["node-slots", "mine"]
    assert compared(made) == compared(by_operations(velero, pod))
    plain = velero.mover()["spec"]
    kept = {one["name"] for one in made["spec"]["volumes"]}
    assert {one["name"] for one in plain["volumes"]} <= kept
    assert made["spec"]["containers"][0]["command"] == plain["containers"][0]["command"]


def test_the_sidecar_alone_does_not_see_veleros_own_token(velero: Velero, free: Velero) -> None:
    made = velero.tried(velero.mover())
    (main,), (sidecar,) = made["spec"]["containers"], made["spec"]["initContainers"]
    (of_main,) = (one for one in main["volumeMounts"] if one["mountPath"] == TOKENS)
    assert of_main["name"].startswith("kube-api-access-"), "the server mounts it for the mover"
    (hidden,) = (one for one in sidecar["volumeMounts"] if one["mountPath"] == TOKENS)
    volumes = {one["name"]: one for one in made["spec"]["volumes"]}
    assert "emptyDir" in volumes[hidden["name"]]
    bare = injected(free.sidecar, free.mover())
    bare["spec"]["initContainers"][0]["volumeMounts"].pop()
    (mounts,) = (one["volumeMounts"] for one in free.tried(bare)["spec"]["initContainers"])
    assert mounts[-1]["name"].startswith("kube-api-access-"), "without the cover it would see it"


def test_a_pod_that_was_made_through_the_policy_is_not_changed_by_it_again(velero: Velero) -> None:
    once = velero.tried(velero.mover())
    head = {key: once["metadata"][key] for key in ("name", "namespace", "labels")}
    assert velero.tried(once | {"metadata": head})["spec"] == once["spec"]


@pytest.mark.parametrize("done", ["label", "sidecar", "volume"])
def test_each_sign_of_an_earlier_injection_is_enough(done: str, velero: Velero) -> None:
    pod = velero.mover()
    match done:
        case "label":
            pod["metadata"]["labels"][GOVERNED] = "false"
        case "sidecar":
            (pod["spec"]["initContainers"],) = [[{"name": "node-slots", "image": "example.org/x"}]]
        case "volume":
            pod["spec"]["volumes"].append({"name": "node-slots-access", "emptyDir": {}})
    assert_left_alone(velero, pod)


@pytest.mark.parametrize("how", ["os", "nodeSelector", "both"])
def test_movers_for_windows_are_left_alone(how: str, velero: Velero) -> None:
    pod = velero.mover(windows=True)
    if how == "os":
        del pod["spec"]["nodeSelector"]
    if how == "nodeSelector":
        del pod["spec"]["os"]
    assert_left_alone(velero, pod)


def test_other_pods_of_the_namespace_are_left_alone(velero: Velero) -> None:
    pod = velero.mover()
    for labels in ({}, {"name": "node-agent"}, {"velero.io/exposer-pod-group": "x"}):
        pod["metadata"]["labels"] = labels
        assert_left_alone(velero, pod)
    del pod["metadata"]["labels"]
    assert_left_alone(velero, pod)


def test_a_mover_without_system_and_selector_gets_it_too(velero: Velero) -> None:
    pod = velero.mover()
    del pod["spec"]["os"], pod["spec"]["nodeSelector"]
    assert compared(velero.tried(pod)) == compared(by_operations(velero, pod))


def test_a_mover_without_any_volume_gets_it_too(velero: Velero) -> None:
    pod = velero.mover()
    pod["spec"] |= {"volumes": [], "automountServiceAccountToken": False}
    pod["spec"]["containers"][0]["volumeMounts"] = []
    made = velero.tried(pod)
    assert made["spec"]["volumes"] == by_operations(velero, pod)["spec"]["volumes"]
    assert len(made["spec"]["volumes"]) == 3


def test_movers_elsewhere_are_left_alone(velero: Velero, free: Velero) -> None:
    assert "initContainers" not in free.tried(free.mover())["spec"]


def test_what_an_operator_chooses_reaches_the_pod(server: RealApiServer) -> None:
    cluster = Cluster(server)
    try:
        chosen = Velero(cluster)
        chosen.sidecar = Sidecar(
            image='registry.example.org/a"b\\c:1',
            url="https://other:8443",
            pool="pool",
            config_map_ca="other-ca",
            ttl=45,
            restore_priority=7,
            backup_priority=-3,
        )
        pod = chosen.governed().mover(Kind.DATA_UPLOAD)
        assert compared(chosen.tried(pod)) == compared(by_operations(chosen, pod))
        (sidecar,) = chosen.tried(pod)["spec"]["initContainers"]
        assert sidecar["image"] == chosen.sidecar.image
        assert sidecar["command"][4:8] == ["--priority", "-3", "--ttl", "45"]
    finally:
        cluster.close()


def assert_left_alone(velero: Velero, pod: Pod) -> None:
    """By the policy and by the operations."""
    assert operations(velero.sidecar, pod) == []
    made = velero.tried(pod)
    here = [one["name"] for one in pod["spec"].get("initContainers", ())]
    assert [one["name"] for one in made["spec"].get("initContainers", ())] == here
    assert made["metadata"].get("labels") == (pod["metadata"].get("labels") or None)
    assert len(made["spec"]["volumes"]) == len(pod["spec"]["volumes"]) + 1, "the token's alone"
