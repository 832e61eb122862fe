"""helm, kustomize, promtool and kyverno: built once from pinned Go modules, run as processes."""

from __future__ import annotations

import subprocess
from pathlib import Path
from typing import TYPE_CHECKING

from tests.realserver.programs import GoPrograms

if TYPE_CHECKING:
    from collections.abc import Sequence

HELM = GoPrograms(
    title="helm",
    module=Path(__file__).with_name("go-helm"),
    packages={"helm": "helm.sh/helm/v4/cmd/helm"},
    named={"helm": "helm.sh/helm/v4"},
    duration="about five minutes on two cores (less with a warm Go cache)",
)
KUSTOMIZE = GoPrograms(
    title="kustomize",
    module=Path(__file__).with_name("go-kustomize"),
    packages={"kustomize": "sigs.k8s.io/kustomize/kustomize/v5"},
    named={"kustomize": "sigs.k8s.io/kustomize/kustomize/v5"},
    duration="about a minute on two cores (less with a warm Go cache)",
)
PROMTOOL = GoPrograms(
    title="promtool",
    module=Path(__file__).with_name("go-promtool"),
    packages={"promtool": "github.com/prometheus/prometheus/cmd/promtool"},
    named={"prometheus": "github.com/prometheus/prometheus"},
    tags="remove_all_sd",  # nothing has to be found in a cloud: a fifth less to compile
    duration="about three minutes on two cores (less with a warm Go cache)",
)
KYVERNO = GoPrograms(
    title="kyverno",
    module=Path(__file__).with_name("go-kyverno"),
    packages={"kyverno": "github.com/kyverno/kyverno/cmd/cli/kubectl-kyverno"},
    named={"kyverno": "github.com/kyverno/kyverno"},
    duration="about five minutes on two cores (less with a warm Go cache)",
)
ALL = (KUSTOMIZE, HELM, PROMTOOL)
"""What `make test` needs. Kyverno takes five minutes to build and is asked by `make kyverno`."""


class ToolError(Exception):
    """The tool refused its input; the text is what it said."""


class Tool:
    """One program with a home of its own: it reads and writes nothing of the user's."""

    def __init__(self, program: Path, home: Path) -> None:
        self._program = program
        self._environment = {"HOME": str(home), "PATH": "/usr/bin:/bin"}

    def __call__(self, arguments: Sequence[str | Path], given: str = "") -> str:
        """What it prints, with `given` on its standard input. Raises `ToolError`."""
        done = subprocess.run(
            [self._program, *arguments],
            check=False,
            input=given,
            capture_output=True,
            text=True,
            env=self._environment,
            timeout=60,
        )
        if done.returncode != 0:
            raise ToolError(done.stderr or done.stdout)
        return done.stdout
