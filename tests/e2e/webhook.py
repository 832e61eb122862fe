"""The mutating webhook on a test's cluster: the right that it needs, its configuration, movers."""

from __future__ import annotations

import base64
from pathlib import Path
from typing import TYPE_CHECKING, Any

import yaml

from coordinator.core.movers import Kind
from coordinator.injection import Sidecar, webhook
from coordinator.injection.webhook import PATH
from coordinator.install.defaults import IMAGE
from coordinator.install.naming import Naming
from tests.e2e.cluster import AGENTS

if TYPE_CHECKING:
    from tests.e2e.cluster import Cluster
    from tests.e2e.processes import Site
    from tests.e2e.wire import Answer

RIGHTS = Path(__file__).parents[2] / "deploy" / "velero" / "webhook-rights.yaml"
LONGEST = 30
"""Seconds; no API server waits longer for a webhook."""
API = "/apis/admissionregistration.k8s.io/v1/mutatingwebhookconfigurations"


def webhook_rights(name: str, namespace: str) -> list[dict[str, Any]]:
    """What the manifests add where the webhook injects, under this name."""
    naming = Naming(name, namespace)
    return [naming.apply(one) for one in yaml.safe_load_all(RIGHTS.read_text())]


class Webhook:
    """The webhook of one site. Made before the site's coordinator, which gets the right to it."""

    def __init__(self, site: Site) -> None:
        self._cluster: Cluster = site.cluster
        name, namespace = site.installation.options.name, site.cluster.namespace
        self.configuration = f"{name}-movers"
        site.installation.objects += webhook_rights(name, namespace)
        url = f"https://{name}.{namespace}.svc:8443"
        self.sidecar = Sidecar(IMAGE, url, namespace, config_map_ca=site.installation.authority)
        self.flags = ("--inject-image", IMAGE, "--webhook-configuration", self.configuration)

    def apply(self, url: str, failure: str = "Ignore") -> None:
        """The configuration of the manifests, for a coordinator that no Service leads to."""
        self._cluster.apply(self._object(url, failure))

    def send_to(self, url: str) -> None:
        """Has the API server ask this coordinator from now on, and believe what it believes."""
        client = self.hook["clientConfig"] | {"url": url + PATH}
        self._change({"clientConfig": client})

    def fail(self) -> None:
        """From now on no mover is made without an answer."""
        self._change({"failurePolicy": "Fail"})

    def rename(self, name: str) -> None:
        """The configuration is another's, by the name of its webhook."""
        self._change({"name": name})

    def forget(self) -> None:
        """An operator's hand empties the authority."""
        self._change({"clientConfig": {"url": self.hook["clientConfig"]["url"]}})

    def _object(self, url: str, failure: str) -> dict[str, Any]:
        (made,) = webhook(self._cluster.namespace, "node-slots", self.configuration)
        (hook,) = made["webhooks"]
        hook |= {"clientConfig": {"url": url + PATH}, "failurePolicy": failure}
        hook |= {"timeoutSeconds": LONGEST}  # after five a busy coordinator would seem to be away
        return made

    @property
    def hook(self) -> dict[str, Any]:
        """The webhook as the API server has it."""
        answer = self._cluster.api.get(f"{API}/{self.configuration}")
        assert answer.status == 200, answer.raw
        (hook,) = answer.json["webhooks"]
        return dict(hook)

    @property
    def bundle(self) -> bytes:
        """The authorities that the API server believes, in PEM."""
        return base64.b64decode(self.hook["clientConfig"].get("caBundle", ""))

    def _change(self, changed: dict[str, Any]) -> None:
        path = f"{API}/{self.configuration}"
        answer = self._cluster.api.merge(path, {"webhooks": [self.hook | changed]})
        assert answer.status == 200, answer.raw

    def make(self, pod: dict[str, Any], *, dry: bool = False) -> Answer:
        """Creates the Pod, or only says what it would be."""
        path = self._cluster.pod_path() + ("?dryRun=All" if dry else "")
        return self._cluster.api.post(path, pod)

    def injects(self) -> bool:
        """Whether a mover would get the sidecar now."""
        answer = self.make(mover("probe"), dry=True)
        assert answer.status == 201, answer.raw
        return is_governed(answer.json)


def mover(name: str, kind: Kind = Kind.POD_VOLUME_BACKUP) -> dict[str, Any]:
    """A mover's Pod as Velero makes it, as far as an API server looks at it."""
    spec = {
        "serviceAccountName": AGENTS,
        "restartPolicy": "Never",
        "terminationGracePeriodSeconds": 0,
        "securityContext": {"runAsUser": 0},
        "containers": [
            {
                "name": "5b0f6d1e-3c0a-4a8e-9a55-0d6c1f1a2b3c",
                "image": "velero/velero:v1.18.0",
                "volumeMounts": [{"name": "host-pods", "mountPath": "/host_pods"}],
            }
        ],
        "volumes": [{"name": "host-pods", "emptyDir": {}}],
    }
    return {"metadata": {"name": name, "labels": {kind.label: name}}, "spec": spec}


def is_governed(pod: dict[str, Any]) -> bool:
    """Whether the Pod has the sidecar, first of its init containers."""
    first = (pod["spec"].get("initContainers") or [{}])[0]
    return bool(first.get("name") == "node-slots" and first.get("restartPolicy") == "Always")
