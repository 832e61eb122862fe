"""Where kube-apiserver and etcd for the tests are to be found; building them is `build.py`'s."""

from __future__ import annotations

import hashlib
import os
import platform
import re
import sys
from dataclasses import dataclass
from pathlib import Path

GO_MODULE = Path(__file__).parent / "go"
ASSETS_VARIABLE = "KUBEBUILDER_ASSETS"
"""The folder of ready binaries, named as controller-runtime's envtest names it."""

# Go's names for what Python calls platform.machine().
_GO_ARCHITECTURES = {"x86_64": "amd64", "amd64": "amd64", "aarch64": "arm64", "arm64": "arm64"}


class AssetsIncompleteError(Exception):
    """KUBEBUILDER_ASSETS is set, and a binary is missing there."""


@dataclass(frozen=True)
class Binaries:
    """The two programs of a real API server, as paths."""

    folder: Path

    @property
    def kube_apiserver(self) -> Path:
        return self.folder / "kube-apiserver"

    @property
    def etcd(self) -> Path:
        return self.folder / "etcd"

    def missing(self) -> list[Path]:
        return [path for path in (self.kube_apiserver, self.etcd) if not os.access(path, os.X_OK)]


def find() -> Binaries | None:
    """The binaries of KUBEBUILDER_ASSETS if that is set, else the cached ones; None: not built yet.

    Raises AssetsIncompleteError when KUBEBUILDER_ASSETS names a folder without them: whoever set it
    wants those, not others.
    """
    assets = os.environ.get(ASSETS_VARIABLE)
    if assets:
        chosen = Binaries(Path(assets))
        if missing := chosen.missing():
            names = ", ".join(str(path) for path in missing)
            raise AssetsIncompleteError(f"{ASSETS_VARIABLE} is set, but not found there: {names}")
        return chosen
    cached = Binaries(cached_folder())
    return None if cached.missing() else cached


def cache_root() -> Path:
    """The project's own folder in the user's cache, outside the repository."""
    home = os.environ.get("XDG_CACHE_HOME") or str(Path.home() / ".cache")
    return Path(home) / "node-slots"


def cached_folder() -> Path:
    """Where the build puts its result: the same inputs, the same folder."""
    return cache_root() / "bin" / _key()


def version_of(module: str) -> str:
    """The version of a module as go.mod requires it, such as `v1.36.3`."""
    found = re.search(rf"^\s*{re.escape(module)} (v\S+)", _go_mod(), re.MULTILINE)
    if found is None:
        raise LookupError(f"{GO_MODULE / 'go.mod'} does not require {module}")
    return found.group(1)


def kubernetes_version() -> str:
    return version_of("k8s.io/kubernetes")


def etcd_version() -> str:
    return version_of("go.etcd.io/etcd/server/v3")


def go_directive() -> tuple[int, ...]:
    """The oldest Go that go.mod allows, such as (1, 26, 0)."""
    found = re.search(r"^go (\S+)", _go_mod(), re.MULTILINE)
    if found is None:
        raise LookupError(f"{GO_MODULE / 'go.mod'} has no go line")
    return tuple(int(part) for part in found.group(1).split("."))


def _go_mod() -> str:
    return (GO_MODULE / "go.mod").read_text()


def _key() -> str:
    digest = hashlib.sha256(_go_mod().encode() + (GO_MODULE / "go.sum").read_bytes())
    machine = platform.machine().lower()
    target = f"{sys.platform}-{_GO_ARCHITECTURES.get(machine, machine)}"
    versions = f"kubernetes-{kubernetes_version()}-etcd-{etcd_version()}"
    return f"{versions}-{target}-{digest.hexdigest()[:12]}"
