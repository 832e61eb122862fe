"""The real API server by an operator's hand: one namespace, some nodes, one ConfigMap of limits."""

from __future__ import annotations

import json
import uuid
from typing import TYPE_CHECKING, Any

from tests.e2e.wire import Http

if TYPE_CHECKING:
    from collections.abc import Mapping

    from tests.e2e.wire import Answer
    from tests.realserver.server import RealApiServer

CONFIG = "limits"
SLOT = "-slot-"
HOSTNAME = "kubernetes.io/hostname"
AGENTS = "agents"
"""The service account that agents run under."""
AS_TABLE = "application/json;as=Table;g=meta.k8s.io;v=v1"
"""What `kubectl get` asks for."""


def limits(number: int, **labelled: int) -> str:
    """The text of a config: the global limit, and one rule a label `tier=NAME`."""
    rules = [
        {"nodeSelector": {"matchLabels": {"tier": tier}}, "number": count}
        for tier, count in labelled.items()
    ]
    return json.dumps({"loadConcurrency": {"globalConfig": number, "perNodeConfig": rules}})


class Cluster:
    """A namespace that nobody else uses, and nodes with names that nobody else has."""

    def __init__(self, server: RealApiServer) -> None:
        self.server = server
        self.api = Http(server.url, server.token, server.ca_file)
        self._mark = uuid.uuid4().hex[:8]
        self.namespace = f"e2e-{self._mark}"
        self._everywhere: list[str] = []
        """Paths of what belongs to no namespace."""
        self.add_namespace(self.namespace)

    def close(self) -> None:
        """Nodes are the whole cluster's: they go. The namespace ends with the server."""
        for path in self._everywhere:
            self.api.delete(path)

    def make(self, path: str, body: Any) -> Any:
        """Creates an object; what comes back is the object."""
        return _good(self.api.post(path, body))

    def apply(self, body: Any) -> Any:
        """Creates an object of a manifest where its kind belongs; it goes with this cluster."""
        path = place(body)
        if "namespace" not in body["metadata"]:
            self._everywhere.append(f"{path}/{body['metadata']['name']}")
        return self.make(path, body)

    def add_namespace(self, name: str) -> str:
        """A namespace with a service account for agents; what comes back is its name."""
        self.make("/api/v1/namespaces", {"metadata": {"name": name}})
        self.add_account(AGENTS, name)
        return name

    def add_account(self, name: str, namespace: str = "") -> None:
        path = f"/api/v1/namespaces/{namespace or self.namespace}/serviceaccounts"
        self.make(path, {"metadata": {"name": name}})

    # --- Pods -------------------------------------------------------------------------------------

    def pod_path(self, namespace: str = "", name: str = "") -> str:
        return f"/api/v1/namespaces/{namespace or self.namespace}/pods/{name}".rstrip("/")

    def add_pod(
        self, node: str, name: str, *, namespace: str = "", account: str = AGENTS, **spec: Any
    ) -> dict[str, str]:
        """A Pod bound to the node, as a claim names it; no kubelet will ever start it."""
        whole = {
            "nodeName": node,
            "serviceAccountName": account,
            "restartPolicy": "Never",
            "containers": [{"name": "main", "image": "example.org/none"}],
        }
        body = {"metadata": {"name": name}, "spec": whole | spec}
        head = self.make(self.pod_path(namespace), body)["metadata"]
        return {"namespace": head["namespace"], "name": name, "uid": head["uid"]}

    def tell(self, pod: str, status: Any, namespace: str = "") -> None:
        """What the Pod's kubelet would say."""
        _good(self.api.merge(f"{self.pod_path(namespace, pod)}/status", {"status": status}))

    def delete_pod(self, name: str, namespace: str = "") -> None:
        """`kubectl delete pod NAME --grace-period=0 --force`."""
        _good(self.api.delete(f"{self.pod_path(namespace, name)}?gracePeriodSeconds=0"))

    # --- nodes ------------------------------------------------------------------------------------

    def node_name(self, number: int = 1) -> str:
        return f"node{number}-{self._mark}"

    def add_node(self, number: int = 1, **labels: str) -> str:
        """A Node without a kubelet; what comes back is its name."""
        name = self.node_name(number)
        head = {"name": name, "labels": {HOSTNAME: name, **labels}}
        self.apply({"apiVersion": "v1", "kind": "Node", "metadata": head})
        return name

    def label(self, node: str, **labels: str | None) -> None:
        self._change_node(node, {"labels": labels})

    def hold(self, node: str, reason: str | None) -> None:
        """Sets the hold annotation, or with None lifts it."""
        self._change_node(node, {"annotations": {"nodeslots.io/hold": reason}})

    def _change_node(self, node: str, head: Any) -> None:
        _good(self.api.merge(f"/api/v1/nodes/{node}", {"metadata": head}))

    # --- the ConfigMap ----------------------------------------------------------------------------

    @property
    def _configs(self) -> str:
        return f"/api/v1/namespaces/{self.namespace}/configmaps"

    def configure(self, data: str | Mapping[str, str]) -> None:
        """Writes the ConfigMap: one key with this text, or these keys."""
        keys = {"limits.json": data} if isinstance(data, str) else dict(data)
        body = {"metadata": {"name": CONFIG}, "data": keys}
        answer = self.api.put(f"{self._configs}/{CONFIG}", body)
        if answer.status == 404:
            self.make(self._configs, body)
        else:
            _good(answer)

    def delete_config(self) -> None:
        _good(self.api.delete(f"{self._configs}/{CONFIG}"))

    def config_uid(self) -> str:
        return str(_good(self.api.get(f"{self._configs}/{CONFIG}"))["metadata"]["uid"])

    def warnings(self) -> list[Any]:
        """The Warning Events about the ConfigMap, as `kubectl describe configmap` finds them."""
        about = f"involvedObject.kind=ConfigMap,involvedObject.name={CONFIG},type=Warning"
        path = f"/api/v1/namespaces/{self.namespace}/events?fieldSelector={about}"
        events: list[Any] = _good(self.api.get(path))["items"]
        return events

    # --- Leases -----------------------------------------------------------------------------------

    @property
    def lease_path(self) -> str:
        return f"/apis/coordination.k8s.io/v1/namespaces/{self.namespace}/leases"

    def leases(self) -> dict[str, Any]:
        """Every slot's Lease by name; the election's is none of them."""
        items = _good(self.api.get(self.lease_path))["items"]
        named = {item["metadata"]["name"]: item for item in items}
        return {name: lease for name, lease in named.items() if SLOT in name}

    def lease(self, name: str) -> Any:
        return _good(self.api.get(f"{self.lease_path}/{name}"))

    def holders(self) -> dict[str, str]:
        """`holderIdentity` by Lease, of those that have one."""
        found = {name: lease["spec"].get("holderIdentity") for name, lease in self.leases().items()}
        return {name: holder for name, holder in found.items() if holder}

    def printed_leases(self) -> dict[str, str]:
        """NAME and HOLDER of the slots as `kubectl get leases` prints them."""
        table = _good(self.api.get(self.lease_path, accept=AS_TABLE))
        columns = [column["name"] for column in table["columnDefinitions"]]
        assert columns == ["Name", "Holder", "Age"]
        rows = {row["cells"][0]: row["cells"][1] for row in table["rows"]}
        return {name: holder for name, holder in rows.items() if SLOT in name}

    def delete_lease(self, name: str) -> None:
        """`kubectl delete lease NAME`."""
        _good(self.api.delete(f"{self.lease_path}/{name}"))

    def clear_holder(self, name: str) -> None:
        """`kubectl patch lease NAME --type=merge -p '{"spec":{"holderIdentity":null}}'`."""
        _good(self.api.merge(f"{self.lease_path}/{name}", {"spec": {"holderIdentity": None}}))


def place(body: Any) -> str:
    """Where objects of this kind and namespace are."""
    head, kind = body["metadata"], str(body["kind"]).lower()
    version = body["apiVersion"]
    root = f"/apis/{version}" if "/" in version else f"/api/{version}"
    inside = f"/namespaces/{head['namespace']}" if "namespace" in head else ""
    return f"{root}{inside}/{_plural(kind)}"


def _plural(kind: str) -> str:
    if kind.endswith("y"):
        return kind.removesuffix("y") + "ies"
    return kind + ("es" if kind.endswith("s") else "s")


def _good(answer: Answer) -> Any:
    assert 200 <= answer.status < 300, (answer.status, answer.raw)
    return answer.json
