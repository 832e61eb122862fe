"""Which namespace is meant where none is named."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

from coordinator.kube.credentials import CredentialsError
from coordinator.kubectl.connect.options import NAMESPACE

_OF_POD = Path("/var/run/secrets/kubernetes.io/serviceaccount/namespace")


def namespace_of_context(kubeconfig: str = "", context: str = "") -> str:
    """The namespace of the kubeconfig's context, in a Pod the Pod's own, else `velero`.

    The sources are those of `load_access`. Raises `CredentialsError`.
    """
    paths = kubeconfig or os.environ.get("KUBECONFIG", "")
    if not paths and os.environ.get("KUBERNETES_SERVICE_HOST"):
        return _text(_OF_POD) or NAMESPACE
    found = _context(paths or str(Path.home() / ".kube" / "config"), context)
    return str((found.get("context") or {}).get("namespace") or NAMESPACE)


def _context(paths: str, name: str) -> dict[str, Any]:
    from coordinator.kube.loading import list_kube_config_contexts

    try:
        contexts, current = list_kube_config_contexts(paths)
    except Exception as error:  # noqa: BLE001 - ConfigException, YAMLError, TypeError
        raise CredentialsError(f"unusable kubeconfig {paths}: {error}") from None
    named = [one for one in contexts if one["name"] == name] if name else [current]
    return dict(named[0]) if named else {}


def _text(path: Path) -> str:
    try:
        return path.read_text().strip()
    except OSError:
        return ""
