"""What a node is made of beside Debian's packages: Kubernetes' own programs, and pause."""

from __future__ import annotations

import hashlib
import os
import subprocess
import tempfile
from pathlib import Path

from tests.realserver import binaries, toolchain
from tests.realserver.build import BuildError
from tests.realserver.programs import GoPrograms, cache_root

PAUSE = Path(__file__).with_name("pause")
_COMMANDS = ("kubelet", "kube-controller-manager", "kube-scheduler", "kubectl")

KUBERNETES = GoPrograms(
    title="real kubelet",
    module=binaries.GO_MODULE,  # the API server's: one version of everything
    packages={name: f"k8s.io/kubernetes/cmd/{name}" for name in _COMMANDS},
    named={"kubelet": "k8s.io/kubernetes"},
    stamps=binaries.kubernetes_stamps(binaries.kubernetes_version()),
    duration="about 5 minutes on two cores once the API server is built",
)


def pause() -> Path:
    """The program of a Pod's sandbox, without libraries; built when it is not in the cache.

    Raises BuildError, NoGoError.
    """
    digest = hashlib.sha256((PAUSE / "main.go").read_bytes() + (PAUSE / "go.mod").read_bytes())
    program = cache_root() / "bin" / f"pause-{digest.hexdigest()[:12]}"
    if not os.access(program, os.X_OK):
        _compile(program)
    return program


def _compile(program: Path) -> None:
    program.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=program.parent, prefix=".building-") as folder:
        made = Path(folder) / "pause"
        command = [str(toolchain.find_go()), "build", "-trimpath", "-buildvcs=false"]
        command += ["-ldflags", "-s -w", "-o", str(made), "."]
        environment = toolchain.environment()
        done = subprocess.run(
            command, cwd=PAUSE, env=environment, check=False, capture_output=True, text=True
        )
        if done.returncode != 0:
            raise BuildError(f"`go build` of pause failed: {done.stderr.strip()[-300:]}")
        made.rename(program)
