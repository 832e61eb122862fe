"""A real, unmodified Velero with its plugin for S3, from pinned Go modules."""

from __future__ import annotations

from pathlib import Path

from tests.realserver.programs import GoPrograms

_VELERO = "github.com/vmware-tanzu/velero"
_PLUGIN = "github.com/vmware-tanzu/velero-plugin-for-aws"
_MODULE = Path(__file__).with_name("go")
VERSION = "v1.18.0"
"""Velero's; a test compares it with go.mod."""
PLUGIN_VERSION = "v1.14.2"
"""Its plugin's, likewise."""

VELERO = GoPrograms(
    title="real Velero",
    module=_MODULE,
    packages={
        "velero": f"{_VELERO}/cmd/velero",
        "velero-helper": f"{_VELERO}/cmd/velero-helper",
        "velero-restore-helper": f"{_VELERO}/cmd/velero-restore-helper",
        "velero-plugin-for-aws": f"{_PLUGIN}/velero-plugin-for-aws",
        "cp-plugin": f"{_PLUGIN}/hack/cp-plugin",
    },
    named={"velero": _VELERO},
    # As its own build: a version that is no release makes it warn, and name other images.
    stamps={f"{_VELERO}/pkg/buildinfo.Version": VERSION},
    duration="about five minutes on two cores",
)
