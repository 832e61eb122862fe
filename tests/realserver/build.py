"""`python -m tests.realserver.build`: makes kube-apiserver and etcd once, into the user's cache.

Prints what it does and how far it is. Ends with 0 when the binaries are there, and also, after one
loud line, when they cannot be had (the tests that need them are skipped then); with
NODESLOTS_REQUIRE_REAL=1 that is a failure, as a KUBEBUILDER_ASSETS without them always is.

`build` and `ensure` do the same for any other programs of a pinned Go module.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import tempfile
import threading
import time
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from tests.realserver import binaries, toolchain
from tests.realserver.binaries import AssetsIncompleteError
from tests.realserver.programs import cache_root, one_at_a_time
from tests.realserver.report import fail_or_skip, say

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.realserver.programs import GoPrograms

HEARTBEAT_SECONDS = 10.0
_FETCHES = 3


class BuildError(Exception):
    """The programs could not be made; the text says why."""


def main() -> int:
    """Makes sure that the API server is there; what comes back is the exit code."""
    server = binaries.server()
    try:
        if found := binaries.find():
            say(f"== {server.title}: ready in {found.folder}")
            return 0
    except AssetsIncompleteError as error:
        say(f"!!! {error}")
        return 1
    return ensure(server)


def ensure(programs: GoPrograms) -> int:
    """Makes sure that they are there, and says it; what comes back is the exit code.

    Not to be had: a loud line, and 1 only with NODESLOTS_REQUIRE_REAL=1.
    """
    try:
        say(f"== {programs.title}: ready in {build(programs)}")
    except (BuildError, toolchain.NoGoError) as error:
        return fail_or_skip(str(error), programs.title)
    return 0


def build(programs: GoPrograms) -> Path:
    """The folder of the built programs; when they are not in the cache, they are built first.

    A second process waits for the first one. Raises BuildError, NoGoError.
    """
    if found := programs.find():
        return found
    with one_at_a_time(programs.title, cache_root() / "bin" / ".lock"):
        if found := programs.find():
            return found
        told = ", ".join(f"{name} {version}" for name, version in programs.versions().items())
        say(
            f"== {programs.title}: building {told} from Go modules,\n"
            f"   once, {programs.duration}; kept in {cache_root()}"
        )
        return _build_with(toolchain.find_go(), programs)


def _build_with(go: Path, programs: GoPrograms) -> Path:
    target, packages = programs.folder, sorted(programs.packages.values())
    started = time.monotonic()
    with tempfile.TemporaryDirectory(dir=target.parent, prefix=".building-") as folder:
        made = Path(folder) / "made"
        made.mkdir()
        listed = ["list", "-mod=readonly", "-deps", "-tags", programs.tags, *packages]
        total = len(fetch(go, programs.module, listed))
        flags = ["-mod=readonly", "-trimpath", "-buildvcs=false", "-tags", programs.tags]
        flags += ["-ldflags", _linker(programs)]
        compiled = ["build", "-v", *flags, "-o", f"{made}{os.sep}", *packages]
        run_go(go, programs.module, compiled, f"of at most {total} packages compiled")
        _put_in_place(made, programs)
    say(f"   done after {time.monotonic() - started:.0f} s")
    return target


def _put_in_place(made: Path, programs: GoPrograms) -> None:
    """A half-made folder never bears the final name."""
    shutil.rmtree(programs.folder, ignore_errors=True)
    for name, package in programs.packages.items():
        (made / _gos_name(package)).rename(made / name)
    made.rename(programs.folder)


def _gos_name(package: str) -> str:
    """Go names a program after the last part of its path that is no version."""
    parts = package.split("/")
    is_version = parts[-1].startswith("v") and parts[-1][1:].isdigit()
    return parts[-2] if is_version else parts[-1]


def _linker(programs: GoPrograms) -> str:
    """No symbol tables, and the programs' stamps."""
    return " ".join(["-s -w", *(f"-X {key}={value}" for key, value in programs.stamps.items())])


def fetch(go: Path, module: Path, arguments: list[str]) -> list[str]:
    """The same as `run_go` for what fetches modules: hundreds of them, and each may fail once.

    Go asks nobody twice, and keeps what came. Raises BuildError.
    """
    unit = "modules fetched"
    for _ in range(_FETCHES - 1):
        try:
            return run_go(go, module, arguments, unit)
        except BuildError as error:
            say(f"   {error}; once more")
    return run_go(go, module, arguments, unit)


def run_go(go: Path, module: Path, arguments: list[str], unit: str) -> list[str]:
    """Runs go in the module's folder; what comes back is what it printed, by lines.

    Every ten seconds it is told how many lines (its units of work) it has reported. Raises
    BuildError.
    """
    process = subprocess.Popen(
        [str(go), *arguments],
        cwd=module,
        env=toolchain.environment(),
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    reported: list[str] = []
    with process, _heartbeat(reported, unit):
        reader = threading.Thread(target=lambda: reported.extend(process.stderr or ()))
        reader.start()
        answer = list(process.stdout or ())
        reader.join()
    if process.returncode != 0:
        raise BuildError(f"`go {arguments[0]}` failed: {''.join(reported[-5:]).strip()}")
    return answer


@contextmanager
def _heartbeat(reported: list[str], unit: str) -> Iterator[None]:
    ended = threading.Event()
    started = time.monotonic()

    def beat() -> None:
        while not ended.wait(HEARTBEAT_SECONDS):
            say(f"   {time.monotonic() - started:4.0f} s: {len(reported)} {unit}")

    thread = threading.Thread(target=beat, daemon=True)
    thread.start()
    try:
        yield
    finally:
        ended.set()
        thread.join()


if __name__ == "__main__":
    sys.exit(main())
