"""The example workers of docs/examples/sidecar as programs: the same use, in three languages."""

from __future__ import annotations

import atexit
import importlib.util
import os
import shutil
import subprocess
import sys
import tempfile
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from tests.realserver import report, toolchain

if TYPE_CHECKING:
    from collections.abc import Sequence

EXAMPLES = Path(__file__).parents[2] / "docs" / "examples" / "sidecar"
GO_EXAMPLE = EXAMPLES / "go"
STAND_IN = Path(__file__).with_name("stand_in")
"""A folder with a program `curl` that does what the shell example needs."""
GO = "go"
"""The Go worker's name; building it takes a while where Go's cache is cold."""


def worker(name: str, socket: Path, loads: Sequence[str], command: Sequence[str]) -> list[str]:
    """The command line of a worker: `go`, `python`, or the name of a shell.

    Raises what `toolchain.find_go` raises, once Go is needed.
    """
    return [*_program(name, socket), *loads, "--", *command]


def _program(name: str, socket: Path) -> list[str]:
    if name == GO:
        return [str(_built()), "-socket", str(socket)]
    if name == "python":
        return [sys.executable, str(EXAMPLES / "python" / "worker.py"), "--socket", str(socket)]
    return [name, str(EXAMPLES / "worker.sh")]


def environment(folder: Path, socket: Path) -> dict[str, str]:
    """What a worker's environment has to say, with a curl on PATH in any case."""
    path = os.environ["PATH"]
    if shutil.which("curl") is None:
        report.say("!!! NO curl HERE: the shell example runs with a stand-in for it")
        path = f"{STAND_IN}:{path}"
    return {"SLOTS_SOCKET": str(socket), "TMPDIR": str(folder), "PATH": path}


def python_client() -> Any:
    """The module of the Python client."""
    spec = importlib.util.spec_from_file_location("slots", EXAMPLES / "python" / "slots.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def go(*arguments: str) -> str:
    """Runs `go` in the Go example, without any network; what comes back is its output."""
    done = subprocess.run(
        [str(_found()), *arguments],
        cwd=GO_EXAMPLE,
        env={**toolchain.environment(), "GOPROXY": "off", "GOTOOLCHAIN": "local"},
        check=False,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )
    assert done.returncode == 0, done.stdout
    return done.stdout


@cache
def _built() -> Path:
    folder = tempfile.mkdtemp(prefix="node-slots-example-")
    atexit.register(shutil.rmtree, folder)
    go("build", "-o", folder, "./worker")
    return Path(folder) / "worker"


@cache
def _found() -> Path:
    try:
        return toolchain.find_go()
    except toolchain.NoGoError as error:
        why = f"!!! NO GO TOOLCHAIN, ITS EXAMPLE IS NOT TESTED: {error}"
        if report.is_required():
            pytest.fail(why)
        pytest.skip(why)
