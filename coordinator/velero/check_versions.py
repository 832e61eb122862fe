"""Whether Velero, Kubernetes and the kubelets are new enough, and what of the work is governed.

Velero: movers of DataUploads and DataDownloads are Pods since 1.15 ("data mover micro service",
CHANGELOG-1.15), those of file system backups since 1.17 (CHANGELOG-1.17); before, the node-agent
did the work itself. Kubernetes: native sidecars (KEP-753) are on by default since 1.29; kubelets
may be up to three minor versions older than the API server.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from coordinator.core.movers import Kind
from coordinator.core.words import count, names
from coordinator.velero.check_model import Finding, Level
from coordinator.velero.check_text import kubectl, minor

if TYPE_CHECKING:
    from coordinator.velero.world import World

SNAPSHOT_MOVERS = (1, 15)
FILE_SYSTEM_MOVERS = (1, 17)
NATIVE_SIDECARS = (1, 29)
_FILE_SYSTEM = (Kind.POD_VOLUME_BACKUP, Kind.POD_VOLUME_RESTORE)


def versions(world: World) -> list[Finding]:
    """Velero's, the API server's and the kubelets' versions."""
    return [_velero(world), _api_server(world), *_kubelets(world)]


def _velero(world: World) -> Finding:
    if world.server is None and not world.velero and not world.node_agents:
        return Finding(
            Level.ERROR,
            "Velero",
            f"there is no Velero in namespace {world.namespace}, or it may not be seen",
            "name its namespace with -n",
        )
    version = minor(world.velero)
    if version is None:
        return _unknown(world)
    if version < SNAPSHOT_MOVERS:
        return Finding(
            Level.ERROR,
            "Velero",
            f"{world.velero}: its node-agent moves the data itself, there are no Pods that could"
            " hold a slot",
            "upgrade Velero: to 1.17 or newer for file system backups, 1.15 for CSI snapshots",
        )
    if version < FILE_SYSTEM_MOVERS:
        return _snapshots_only(world)
    return Finding(
        Level.OK,
        "Velero",
        f"{world.velero}: every data mover is a Pod (file system backups and restores, CSI"
        " snapshot data movement)",
    )


def _unknown(world: World) -> Finding:
    image = world.server.image if world.server else "not seen"
    return Finding(
        Level.WARNING,
        "Velero",
        f"its image ({image}) does not tell the version. File system backups have movers that can"
        " be governed from 1.17 on, CSI snapshot data movement from 1.15 on",
        "look it up",
        (kubectl(world.namespace, "exec", "deploy/velero", "--", "/velero", "version"),),
    )


def _snapshots_only(world: World) -> Finding:
    seen = sum(work.kind in _FILE_SYSTEM for work in world.works)
    used = f"{count(seen, 'volume')} of file system backups or restores seen" if seen else ""
    return Finding(
        Level.WARNING if seen else Level.NOTE,
        "Velero",
        f"{world.velero}: CSI snapshot data movement (DataUpload, DataDownload) is governed; file"
        " system backups run inside the node-agent until 1.17 and are not"
        + (f" ({used})" if used else ""),
        "upgrade Velero to 1.17 or newer for file system backups" if seen else "",
    )


def _api_server(world: World) -> Finding:
    version = minor(world.kubernetes)
    if version is None:
        return Finding(
            Level.NOTE, "Kubernetes", "its version is not known; 1.29 or newer is needed"
        )
    if version < NATIVE_SIDECARS:
        return Finding(
            Level.ERROR,
            "Kubernetes",
            f"{world.kubernetes} has no native sidecars (1.28 has them as an alpha, off): a mover"
            " with our sidecar would be refused or wait for ever",
            "upgrade Kubernetes to 1.29 or newer",
        )
    return Finding(Level.OK, "Kubernetes", f"{world.kubernetes} has native sidecars")


def _kubelets(world: World) -> list[Finding]:
    old = [
        f"{node.name} ({node.kubelet})"
        for node in world.nodes
        if (version := minor(node.kubelet)) is not None
        and version < NATIVE_SIDECARS
        and node.os == "linux"
    ]
    if not old:
        return []
    return [
        Finding(
            Level.ERROR,
            "kubelets",
            f"{count(len(old), 'kubelet')} without native sidecars: {names(old)}. A mover with our"
            " sidecar would be refused there, or wait for ever",
            "upgrade those nodes to 1.29 or newer before anything is injected",
        )
    ]
