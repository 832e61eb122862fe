"""What the printed YAML says at its head: what Velero itself needs, and how to go back.

Nothing of Velero is changed by us, so its own settings are the reader's to change, with these
commands. Facts: Velero's `pkg/cmd/cli/nodeagent/server.go` (v1.18).
"""

from __future__ import annotations

from importlib.metadata import version
from typing import TYPE_CHECKING

from coordinator.core.movers import GOVERNED, PREPARE_TIMEOUT
from coordinator.velero.check_map import OUT_OF_THE_WAY
from coordinator.velero.check_text import add_argument, kubectl, span
from coordinator.velero.install import CERT_MANAGER, INJECTIONS, WEBHOOK

if TYPE_CHECKING:
    from coordinator.install.files import Object
    from coordinator.velero.install import Governing

_INSTALL = """\
node-slots {version}: governs the data movers of Velero in namespace {namespace}.
Made by: {command}

Injection: {injection}.
Limits: {limits}
Sidecars: image {image}, coordinator {url}
Authority: {authority}

Velero itself is not changed by this: steps 2 and 3 are yours, when no backup runs.
`slot-coordinator velero check` says what is still missing, with the names in your cluster.

1. Apply this, and see the coordinator ready:
     {ready}
2. Let movers wait. Without this Velero fails a volume whose mover waits for {default}:
     {prepare}
3. Velero's own limit out of the way, else the lower of the two counts. In the ConfigMap that
   the node-agent names with --node-agent-configmap, put "globalConfig": {many} into
   loadConcurrency and take perNodeConfig out. Keep prepareQueueLength, which bounds how many
   movers exist, and all other sections. It is read at the start only:
     {edit}
     {restart}
   Where the node-agent names none, make one and name it; that restarts it, too:
     {create}
     {name}
"""
_UNDO = """\
node-slots {version}: takes away what governs Velero in namespace {namespace}.
Made by: {command}

With the options of the installation this names exactly what was made, for
  kubectl delete --ignore-not-found -f -
The namespace stays. So does the ConfigMap of limits, unless --limits or --global-limit is given.

1. Velero's own limit back: the old numbers into loadConcurrency of its ConfigMap, then
     {restart}
2. End the injection alone, which stands first in here, so that no new mover waits:
     {injection}
   Movers that wait at this moment have their sidecar already: with no coordinator they would
   wait for ten minutes, and then start all at once. Let them run and end first:
     {governed}
3. Delete the rest, then the slots that the coordinator has made. Movers that run go on and end
   as ever; their sidecars hold up nobody:
     {slots}
4. The node-agent's --data-mover-prepare-timeout may stay, or go from its arguments:
     {arguments}
"""
_AGENT = "daemonset/node-agent"


def to_install(told: Governing, command: str) -> list[str]:
    """The head of what is to be applied; `command` made it."""
    place, timeout = told.namespace, span(told.prepare_timeout)
    many = f'{{"loadConcurrency":{{"globalConfig":{OUT_OF_THE_WAY}}}}}'
    own = "node-agent-config"
    return _INSTALL.format(
        **_common(told, command),
        injection=INJECTIONS[told.injection],
        limits=_limits(told),
        image=told.image,
        url=told.sidecar.url,
        authority=_authority(told),
        ready=kubectl(place, "rollout", "status", f"deployment/{told.options.name}-coordinator"),
        default=span(PREPARE_TIMEOUT),
        prepare=_argument(place, f"--data-mover-prepare-timeout={timeout}"),
        many=OUT_OF_THE_WAY,
        edit=kubectl(place, "edit", "configmap", "NAME"),
        create=kubectl(place, "create", "configmap", own, f"--from-literal=config.json={many}"),
        name=_argument(place, f"--node-agent-configmap={own}"),
    ).splitlines()


def to_undo(told: Governing, command: str) -> list[str]:
    """The head of what is to be deleted; `command` made it."""
    place = told.namespace
    ways = " ".join(_resource(one) for one in told.injecting())
    return _UNDO.format(
        **_common(told, command),
        injection=f"kubectl delete --ignore-not-found {ways}",
        governed=kubectl(place, "get", "pods", "-l", f"{GOVERNED}=true"),
        slots=kubectl(place, "delete", "leases", "-l", "app.kubernetes.io/managed-by=node-slots"),
        arguments=kubectl(place, "edit", _AGENT),
    ).splitlines()


def _common(told: Governing, command: str) -> dict[str, str]:
    return {
        "version": version("node-slots"),
        "namespace": told.namespace,
        "command": command,
        "restart": kubectl(told.namespace, "rollout", "restart", _AGENT),
    }


def _limits(told: Governing) -> str:
    place = f"ConfigMap {told.namespace}/{told.options.config_map}"
    if told.asked_limits[0]:
        return f"{place}, in here; an edit takes effect at once."
    return f"{place}, which is not in here: without it every node has 1."


def _authority(told: Governing) -> str:
    place = f"ConfigMap {told.namespace}/{told.sidecar.config_map_ca}, key ca.crt"
    if told.has_own_authority:
        return f"{place}; the coordinator fills it in."
    return f"{place}: write it yourself, docs/operations.md says how.{_bundle(told)}"


def _bundle(told: Governing) -> str:
    if told.injection != WEBHOOK or CERT_MANAGER in told.extras:
        return ""
    return "\n  The webhook's caBundle, too: until then no mover gets the sidecar."


def _resource(one: Object) -> str:
    group = one["apiVersion"].partition("/")[0]
    return f"{one['kind'].lower()}.{group}/{one['metadata']['name']}"


def _argument(namespace: str, argument: str) -> str:
    return add_argument(namespace, "daemonset", "node-agent", argument)
