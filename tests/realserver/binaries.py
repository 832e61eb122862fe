"""Where kube-apiserver and etcd for the tests are to be found; building them is `build.py`'s."""

from __future__ import annotations

import os
from dataclasses import dataclass, replace
from pathlib import Path

from tests.realserver.programs import GoPrograms, missing

GO_MODULE = Path(__file__).parent / "go"
ASSETS_VARIABLE = "KUBEBUILDER_ASSETS"
"""The folder of ready binaries, named as controller-runtime's envtest names it."""


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
        return missing(self.folder, server().packages)


def server(module: Path = GO_MODULE) -> GoPrograms:
    """How the API server and its etcd are built."""
    plain = GoPrograms(
        title="real API server",
        module=module,
        packages={
            "kube-apiserver": "k8s.io/kubernetes/cmd/kube-apiserver",
            "etcd": "go.etcd.io/etcd/server/v3",
        },
        named={"kubernetes": "k8s.io/kubernetes", "etcd": "go.etcd.io/etcd/server/v3"},
        duration="about 5-10 minutes on two cores (less with a warm Go cache)",
    )
    return replace(plain, stamps=kubernetes_stamps(plain.version_of("k8s.io/kubernetes")))


def kubernetes_stamps(version: str) -> dict[str, str]:
    """What makes a Kubernetes program tell its version; unstamped it would say v0.0.0."""
    major, minor, _ = version.removeprefix("v").split(".", 2)
    told = {"gitVersion": version, "gitMajor": major, "gitMinor": minor, "gitTreeState": "clean"}
    places = ("k8s.io/component-base/version", "k8s.io/client-go/pkg/version")
    return {f"{place}.{key}": value for place in places for key, value in told.items()}


def find() -> Binaries | None:
    """The binaries of KUBEBUILDER_ASSETS if that is set, else the cached ones; None: not built yet.

    Raises AssetsIncompleteError when KUBEBUILDER_ASSETS names a folder without them: whoever set it
    wants those, not others.
    """
    assets = os.environ.get(ASSETS_VARIABLE)
    if assets:
        chosen = Binaries(Path(assets))
        if lacking := chosen.missing():
            names = ", ".join(str(path) for path in lacking)
            raise AssetsIncompleteError(f"{ASSETS_VARIABLE} is set, but not found there: {names}")
        return chosen
    cached = server().find()
    return None if cached is None else Binaries(cached)


def kubernetes_version() -> str:
    return server().version_of("k8s.io/kubernetes")


def etcd_version() -> str:
    return server().version_of("go.etcd.io/etcd/server/v3")
