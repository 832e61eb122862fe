"""Debian packages, fetched with `apt-get download` and unpacked into a folder, not installed."""

from __future__ import annotations

import hashlib
import shutil
import subprocess
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING

from tests.realserver.programs import cache_root
from tests.realserver.report import say

if TYPE_CHECKING:
    from collections.abc import Sequence

RUNTIME = ("containerd", "runc", "libseccomp2")
"""What runs the containers."""
NETWORK = ("containernetworking-plugins",)
"""What gives Pods addresses of their own."""
USERLAND = (
    # What gcr.io/distroless/python3-debian12, the base of deploy/Dockerfile, is made of.
    *("base-files", "netbase", "tzdata", "libc6", "libgcc-s1", "libgomp1", "libstdc++6", "libssl3"),
    *("libbz2-1.0", "libdb5.3", "libexpat1", "liblzma5", "libsqlite3-0", "libuuid1", "zlib1g"),
    *("libncursesw6", "libtinfo6", "libcom-err2", "libcrypt1", "libgssapi-krb5-2", "libk5crypto3"),
    *("libkeyutils1", "libkrb5-3", "libkrb5support0", "libnsl2", "libreadline8", "libtirpc3"),
    *("libffi8", "libpython3.11-minimal", "libpython3.11-stdlib", "python3.11-minimal"),
)


class NoPackageError(Exception):
    """apt-get does not bring the packages; the text says what it said."""


def unpacked(packages: Sequence[str]) -> Path:
    """A folder with the files of these packages, from the cache or fetched now.

    Raises NoPackageError.
    """
    key = hashlib.sha256(repr((_release(), sorted(packages))).encode()).hexdigest()[:12]
    folder = cache_root() / "debian" / key
    if not folder.exists():
        say(f"== Debian packages: fetching {packages[0]} and {len(packages) - 1} more")
        _fetch(packages, folder)
    return folder


def _release() -> str:
    """Which Debian: another one has other packages under the same names."""
    return Path("/etc/os-release").read_text()


def _fetch(packages: Sequence[str], folder: Path) -> None:
    folder.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=folder.parent, prefix=".fetching-") as work:
        archives, tree = Path(work) / "archives", Path(work) / "tree"
        archives.mkdir()
        tree.mkdir()
        try:
            _download(packages, archives)
        except NoPackageError:
            # The machine's lists are missing or old: with lists of our own, its stay as they are.
            own = _lists_of_our_own(folder.parent / "lists")
            _download(packages, archives, *own)
        for archive in sorted(archives.glob("*.deb")):
            _run(["dpkg-deb", "--extract", str(archive), str(tree)], archives)
        tree.rename(folder)


def _download(packages: Sequence[str], archives: Path, *options: str) -> None:
    as_root = ("-o", "APT::Sandbox::User=root")  # its own user may not write into our folder
    _run(["apt-get", *as_root, *options, "--quiet", "download", *packages], archives)


def _lists_of_our_own(lists: Path) -> list[str]:
    shutil.rmtree(lists, ignore_errors=True)
    (lists / "partial").mkdir(parents=True)
    options = ["-o", f"Dir::State::lists={lists}", "-o", f"Dir::Cache={lists}"]
    _run(["apt-get", "-o", "APT::Sandbox::User=root", *options, "--quiet", "update"], lists)
    return options


def _run(command: list[str], folder: Path) -> None:
    done = subprocess.run(command, cwd=folder, check=False, capture_output=True, text=True)
    if done.returncode != 0:
        raise NoPackageError(f"`{command[0]}` failed: {done.stderr.strip()[-300:]}")
