"""Programs that the tests need, made once from a pinned Go module of this repository."""

from __future__ import annotations

import fcntl
import hashlib
import os
import platform
import re
import sys
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

from tests.realserver.report import say

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

# Go's names for what Python calls platform.machine().
_GO_ARCHITECTURES = {"x86_64": "amd64", "amd64": "amd64", "aarch64": "arm64", "arm64": "arm64"}


@dataclass(frozen=True)
class GoPrograms:
    """What one build makes; `build.build` makes it, `find` says whether it is there."""

    title: str
    """What people call it, as in "real API server"; it begins every line that the build tells."""
    module: Path
    """The folder with go.mod and go.sum: they name every version, and the result's folder."""
    packages: Mapping[str, str]
    """File name of each program, and the Go package that it is made of."""
    named: Mapping[str, str]
    """What the versions are said of, and the Go module that has them: helm, helm.sh/helm/v3."""
    stamps: Mapping[str, str] = field(default_factory=dict)
    """Go variables that the linker fills, such as the version that the program tells."""
    tags: str = ""
    """Go's build tags, separated by commas: what is left out."""
    duration: str = "a few minutes"
    """How long it takes, for whoever waits."""

    @property
    def folder(self) -> Path:
        """Where the build puts its result: the same inputs, the same folder."""
        return cache_root() / "bin" / self._key()

    def find(self) -> Path | None:
        """The folder with all programs; None: not built yet."""
        return None if missing(self.folder, self.packages) else self.folder

    def version_of(self, module: str) -> str:
        """The version of a module as go.mod requires it, such as `v1.36.3`."""
        found = re.search(
            rf"^\s*(?:require )?{re.escape(module)} (v\S+)", self._go_mod(), re.MULTILINE
        )
        if found is None:
            raise LookupError(f"{self.module / 'go.mod'} does not require {module}")
        return found.group(1)

    def versions(self) -> dict[str, str]:
        """The version of everything in `named`."""
        return {name: self.version_of(module) for name, module in self.named.items()}

    def _go_mod(self) -> str:
        return (self.module / "go.mod").read_text()

    def _key(self) -> str:
        digest = hashlib.sha256(self._go_mod().encode() + (self.module / "go.sum").read_bytes())
        digest.update(repr((sorted(self.packages.items()), sorted(self.stamps.items()))).encode())
        digest.update(self.tags.encode())
        machine = platform.machine().lower()
        target = f"{sys.platform}-{_GO_ARCHITECTURES.get(machine, machine)}"
        versions = "-".join(f"{name}-{version}" for name, version in self.versions().items())
        return f"{versions}-{target}-{digest.hexdigest()[:12]}"


def missing(folder: Path, names: Mapping[str, str]) -> list[Path]:
    """The programs that are not there, or not to be run."""
    return [folder / name for name in names if not os.access(folder / name, os.X_OK)]


def cache_root() -> Path:
    """The project's own folder in the user's cache, outside the repository."""
    home = os.environ.get("XDG_CACHE_HOME") or str(Path.home() / ".cache")
    return Path(home) / "node-slots"


@contextmanager
def one_at_a_time(title: str, lock: Path) -> Iterator[None]:
    """One process on this machine makes or does it; a second one says so, and waits."""
    lock.parent.mkdir(parents=True, exist_ok=True)
    with lock.open("w") as held:
        try:
            fcntl.flock(held, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            say(f"== {title}: another process is at it; waiting")
            fcntl.flock(held, fcntl.LOCK_EX)
        yield


def go_directive(module: Path) -> tuple[int, ...]:
    """The oldest Go that this folder's go.mod allows, such as (1, 26, 0)."""
    found = re.search(r"^go (\S+)", (module / "go.mod").read_text(), re.MULTILINE)
    if found is None:
        raise LookupError(f"{module / 'go.mod'} has no go line")
    return tuple(int(part) for part in found.group(1).split("."))
