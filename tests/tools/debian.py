"""Debian packages, fetched with `apt-get download` and unpacked into a folder, not installed."""

from __future__ import annotations

import hashlib
import re
import shutil
import subprocess
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING

from tests.realserver.programs import cache_root, one_at_a_time
from tests.realserver.report import say

if TYPE_CHECKING:
    from collections.abc import Sequence

AS_IF_INSTALLED = ("libc6", "debconf", "x11-utils", "xdg-utils")
"""What `complete` leaves out: the C library must be the machine's own, since its loader is; the
others only serve a desktop or an installation.
"""
_AS_ROOT = ("-o", "APT::Sandbox::User=root")  # apt's own user may not write into our folder
_NO_CACHE = ("-o", "Dir::Cache::pkgcache=", "-o", "Dir::Cache::srcpkgcache=")


class NoPackageError(Exception):
    """apt-get does not bring the packages; the text says what it said."""


def unpacked(packages: Sequence[str], *, complete: bool = False) -> Path:
    """A folder with the files of these packages, from the cache or fetched now.

    `complete`: with all that they depend on, save the C library. Raises NoPackageError.
    """
    folder = _folder(packages, complete=complete)
    if folder.exists():
        return folder
    with one_at_a_time("Debian packages", folder.parent / ".lock"):
        if not folder.exists():
            more = "what they depend on" if complete else f"{len(packages) - 1} more"
            say(f"== Debian packages: fetching {packages[0]} and {more}")
            _fetch(packages, folder, complete=complete)
    return folder


def found(packages: Sequence[str], *, complete: bool = False) -> Path | None:
    """The same from the cache alone; None: not fetched yet."""
    folder = _folder(packages, complete=complete)
    return folder if folder.exists() else None


def _folder(packages: Sequence[str], *, complete: bool) -> Path:
    asked: tuple[object, ...] = (_release(), sorted(packages))
    if complete:
        asked += (AS_IF_INSTALLED,)
    key = hashlib.sha256(repr(asked).encode()).hexdigest()[:12]
    return cache_root() / "debian" / key


def _release() -> str:
    """Which Debian: another one has other packages under the same names."""
    return Path("/etc/os-release").read_text()


def _fetch(packages: Sequence[str], folder: Path, *, complete: bool) -> None:
    folder.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=folder.parent, prefix=".fetching-") as work:
        archives, tree = Path(work) / "archives", Path(work) / "tree"
        archives.mkdir()
        tree.mkdir()
        try:
            _bring(packages, archives, complete=complete)
        except NoPackageError:
            # The machine's lists are missing or old: with lists of our own, its stay as they are.
            own = _lists_of_our_own(folder.parent / "lists")
            _bring(packages, archives, *own, complete=complete)
        for archive in sorted(archives.glob("*.deb")):
            _run(["dpkg-deb", "--extract", str(archive), str(tree)], archives)
        tree.rename(folder)


def _bring(packages: Sequence[str], archives: Path, *options: str, complete: bool) -> None:
    wanted = _with_dependencies(packages, archives, *options) if complete else packages
    _run(["apt-get", *_AS_ROOT, *options, "--quiet", "download", *wanted], archives)


def _with_dependencies(packages: Sequence[str], archives: Path, *options: str) -> list[str]:
    """What apt would install where nothing but AS_IF_INSTALLED is."""
    status = archives / "status"
    machine = _run(["dpkg", "--print-architecture"], archives).strip()
    status.write_text("".join(_as_if(name, machine) for name in AS_IF_INSTALLED))
    bare = ("-o", f"Dir::State::status={status}", *_NO_CACHE)
    # Another program may hold apt's lock, and a simulation needs none.
    quietly = ("--simulate", "--no-install-recommends", "-o", "Debug::NoLocking=1")
    told = _run(["apt-get", *_AS_ROOT, *options, *bare, *quietly, "install", *packages], archives)
    return re.findall(r"^Inst (\S+)", told, re.MULTILINE)


def _as_if(name: str, machine: str) -> str:
    return (
        f"Package: {name}\nStatus: install ok installed\nArchitecture: {machine}\n"
        "Multi-Arch: foreign\nVersion: 99:0\nMaintainer: none\nDescription: as if\n\n"
    )


def _lists_of_our_own(lists: Path) -> list[str]:
    shutil.rmtree(lists, ignore_errors=True)
    (lists / "partial").mkdir(parents=True)
    options = ["-o", f"Dir::State::lists={lists}", "-o", f"Dir::Cache={lists}"]
    _run(["apt-get", *_AS_ROOT, *options, "--quiet", "update"], lists)
    return options


def _run(command: list[str], folder: Path) -> str:
    done = subprocess.run(command, cwd=folder, check=False, capture_output=True, text=True)
    if done.returncode != 0:
        raise NoPackageError(f"`{command[0]}` failed: {done.stderr.strip()[-300:]}")
    return done.stdout
