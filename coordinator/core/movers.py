"""What Velero calls its data mover Pods, and how one shows that it is governed.

A mover Pod is named as its custom resource, and carries one label that says of which kind that is
(Velero 1.15 and newer; `pkg/apis/velero`, seen on 1.18). Whoever injects the sidecar adds a label
of ours, so that metadata alone tells the governed from the rest.
"""

from __future__ import annotations

from enum import Enum
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Mapping

GOVERNED = "nodeslots.io/governed"
"""The label, with the value "true", of a mover Pod that has the sidecar."""
OS, WINDOWS = "kubernetes.io/os", "windows"
"""The label by which Pods select their operating system, and the one that is not governed."""
BACKUP_PRIORITY, RESTORE_PRIORITY = 0, 100
"""What movers ask with. With an aging of 30 minutes a step, a restore goes before every backup that
has waited for less than 50 hours."""
PREPARE_TIMEOUT = 1800.0
"""Seconds that Velero waits for a mover to start, unless its node-agent has another
--data-mover-prepare-timeout."""


class Kind(Enum):
    """The custom resource of a mover; the value is what Kubernetes calls it."""

    POD_VOLUME_BACKUP = "PodVolumeBackup"
    POD_VOLUME_RESTORE = "PodVolumeRestore"
    DATA_UPLOAD = "DataUpload"
    DATA_DOWNLOAD = "DataDownload"

    @property
    def label(self) -> str:
        """The label of its Pods; the value is the name of the custom resource."""
        return _LABELS[self]

    @property
    def restores(self) -> bool:
        """Whether it brings data back."""
        return self in (Kind.POD_VOLUME_RESTORE, Kind.DATA_DOWNLOAD)


_LABELS = {
    Kind.POD_VOLUME_BACKUP: "velero.io/pod-volume-backup",
    Kind.POD_VOLUME_RESTORE: "velero.io/pod-volume-restore",
    Kind.DATA_UPLOAD: "velero.io/data-upload",
    Kind.DATA_DOWNLOAD: "velero.io/data-download",
}


def kind_of(labels: Mapping[str, str]) -> Kind | None:
    """Which kind of mover has these labels; None: no mover."""
    return next((kind for kind in Kind if kind.label in labels), None)


def is_governed(labels: Mapping[str, str]) -> bool:
    """Whether the sidecar was put into the Pod with these labels."""
    return labels.get(GOVERNED) == "true"


def is_for_windows(spec: Mapping[str, Any]) -> bool:
    """Whether a Pod with this `spec` runs on Windows; Velero says it in both places."""
    named = (spec.get("os") or {}).get("name")
    return WINDOWS in (named, (spec.get("nodeSelector") or {}).get(OS))
