"""`python -m tests.realserver.build`: makes kube-apiserver and etcd once, into the user's cache.

Prints what it does and how far it is. Ends with 0 when the binaries are there, and also, after one
loud line, when they cannot be had (the tests that need them are skipped then); with
NODESLOTS_REQUIRE_REAL=1 that is a failure, as a KUBEBUILDER_ASSETS without them always is.
"""

from __future__ import annotations

import fcntl
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
from tests.realserver.binaries import GO_MODULE, AssetsIncompleteError, Binaries
from tests.realserver.report import fail_or_skip, say

if TYPE_CHECKING:
    from collections.abc import Iterator

PACKAGES = ("k8s.io/kubernetes/cmd/kube-apiserver", "go.etcd.io/etcd/server/v3")
HEARTBEAT_SECONDS = 10.0


class BuildError(Exception):
    """The binaries could not be made; the text says why."""


def main() -> int:
    """Makes sure that the binaries are there; what comes back is the exit code."""
    try:
        if found := binaries.find():
            say(f"== real API server: ready in {found.folder}")
            return 0
        say(f"== real API server: ready in {build().folder}")
    except AssetsIncompleteError as error:
        say(f"!!! {error}")
        return 1
    except (BuildError, toolchain.NoGoError) as error:
        return fail_or_skip(str(error))
    return 0


def build() -> Binaries:
    """Builds into the cache, or waits for the process that does. Raises BuildError, NoGoError."""
    with _one_at_a_time():
        if found := binaries.find():
            return found
        say(
            f"== real API server: building kube-apiserver {binaries.kubernetes_version()} and etcd "
            f"{binaries.etcd_version()} from their Go modules,\n"
            "   once, about 5-10 minutes on two cores (less with a warm Go cache); "
            f"kept in {binaries.cache_root()}"
        )
        go = toolchain.find_go()
        return _build_with(go)


def _build_with(go: Path) -> Binaries:
    target = binaries.cached_folder()
    started = time.monotonic()
    with tempfile.TemporaryDirectory(dir=target.parent, prefix=".building-") as folder:
        total = len(_go(go, ["list", "-mod=readonly", "-deps", *PACKAGES], "modules fetched"))
        flags = ["-mod=readonly", "-trimpath", "-buildvcs=false", "-ldflags", _linker_flags()]
        _go(
            go,
            ["build", "-v", *flags, "-o", f"{folder}{os.sep}", *PACKAGES],
            f"of at most {total} packages compiled",
        )
        # Go names a program after the last part of its path that is no version.
        (Path(folder) / "server").rename(Path(folder) / "etcd")
        _put_in_place(Path(folder), target)
    say(f"   done after {time.monotonic() - started:.0f} s")
    return Binaries(target)


def _put_in_place(folder: Path, target: Path) -> None:
    """A half-made folder never bears the final name."""
    shutil.rmtree(target, ignore_errors=True)
    finished = folder / "finished"
    finished.mkdir()
    for name in ("kube-apiserver", "etcd"):
        (folder / name).rename(finished / name)
    finished.rename(target)


def _linker_flags() -> str:
    """No symbol tables, and the version that `/version` tells; unstamped it would say v0.0.0."""
    version = binaries.kubernetes_version()
    major, minor, _ = version.removeprefix("v").split(".", 2)
    stamps = {"gitVersion": version, "gitMajor": major, "gitMinor": minor, "gitTreeState": "clean"}
    places = ("k8s.io/component-base/version", "k8s.io/client-go/pkg/version")
    stamped = [f"-X {place}.{key}={value}" for place in places for key, value in stamps.items()]
    return " ".join(["-s -w", *stamped])


def _go(go: Path, arguments: list[str], unit: str) -> list[str]:
    """Runs go, telling every ten seconds how many lines (its units of work) it has reported."""
    process = subprocess.Popen(
        [str(go), *arguments],
        cwd=GO_MODULE,
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


@contextmanager
def _one_at_a_time() -> Iterator[None]:
    """Two builds at once would only slow each other down; the second waits, and then finds."""
    folder = binaries.cached_folder().parent
    folder.mkdir(parents=True, exist_ok=True)
    with (folder / ".lock").open("w") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            say("== real API server: another process is building it; waiting")
            fcntl.flock(lock, fcntl.LOCK_EX)
        yield


if __name__ == "__main__":
    sys.exit(main())
