"""Who resolves limits in S7: this project, and a plain Go loop over apimachinery's selectors."""

from __future__ import annotations

import hashlib
import json
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING

from tests.bench import fleet
from tests.realserver import build
from tests.realserver.programs import GoPrograms

if TYPE_CHECKING:
    from collections.abc import Sequence

    from tests.bench.scenario import Figures

_ROOT = Path(__file__).parents[2]
_MODULE = Path(__file__).with_name("go")
_SOURCE = _MODULE / "limits" / "main.go"


class Differ(Exception):
    """Two of them gave a node different limits, or different reasons."""


def loop() -> list[str]:
    """The command of the Go loop, built first if it is not there."""
    programs = GoPrograms(
        title="bench's Go loop",
        module=_MODULE,
        packages={"limits": "nodeslots/bench/limits"},
        named={"apimachinery": "k8s.io/apimachinery"},
        stamps={"main.source": hashlib.sha256(_SOURCE.read_bytes()).hexdigest()},
        duration="half a minute",
    )
    return [str(build.build(programs) / "limits")]


def ours() -> list[str]:
    """The command of this project's side."""
    return [sys.executable, "-m", "tests.bench.loads.resolving"]


def write_input(file: Path, nodes: int) -> None:
    """What both read: rules as the ConfigMap has them, and each node's labels."""
    limits = {"globalConfig": 2, "perNodeConfig": fleet.rules()}
    made = [fleet.labels(number) for number in range(nodes)]
    file.write_text(json.dumps({"loadConcurrency": limits, "nodes": made}))


class Answers:
    """Runs both on one input; raises `Differ` as soon as their answers are not the same."""

    def __init__(self, file: Path) -> None:
        self._file = file
        self._digest = ""

    def of(self, command: Sequence[str]) -> Figures:
        """How long the resolving took, reading and compiling apart."""
        done = subprocess.run(
            [*command, str(self._file)], cwd=_ROOT, capture_output=True, text=True, check=True
        )
        told = json.loads(done.stdout)
        digest = told.pop("digest")
        self._digest = self._digest or digest
        if digest != self._digest:
            raise Differ(f"{command[0]} resolves nodes otherwise than the one before")
        figures: Figures = told
        return figures
