"""The images that the nodes run: pause, and the project's own as deploy/Dockerfile makes it."""

from __future__ import annotations

import shutil
from typing import TYPE_CHECKING

from tests.deploy import dockerfile
from tests.kubelet import oci, packages, programs
from tests.kubelet.containerd import PAUSE_IMAGE
from tests.realserver.programs import cache_root
from tests.tools import debian

if TYPE_CHECKING:
    from pathlib import Path

IMAGE = "localhost/node-slots:kubelet"
USER = "65532:65532"


def pack_all(folder: Path, name: str = IMAGE) -> list[Path]:
    """Archives of both, in `folder`; `name` is the project's image's."""
    return [_pause(folder), _project(folder, name)]


def _pause(folder: Path) -> Path:
    tree, archive = folder / "pause", folder / "pause.tar"
    tree.mkdir()
    shutil.copy(programs.pause(), tree / "pause")
    oci.pack(PAUSE_IMAGE, [tree], archive, entry=["/pause"])
    return archive


def _project(folder: Path, name: str) -> Path:
    """In place of the Dockerfile's base, the Debian packages that the base is made of."""
    tree, work, archive = folder / "tree", folder / "build", folder / "node-slots.tar"
    tree.mkdir()
    work.mkdir()
    dockerfile.follow(tree, work, cache=cache_root() / "image")
    oci.pack(name, [debian.unpacked(packages.USERLAND), tree], archive, user=USER)
    return archive
