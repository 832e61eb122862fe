"""The images of a real Velero as its own Dockerfiles make them, and the project's own.

They bear the names that the manifests and `velero install` write by themselves, so that nothing of
either is changed for the tests; tagged images that are there are not pulled.
"""

from __future__ import annotations

import shutil
from pathlib import Path

from coordinator.install.defaults import IMAGE
from tests.kubelet import images, oci
from tests.velero.programs import PLUGIN_VERSION, VELERO, VERSION

PLUGIN = f"velero/velero-plugin-for-aws:{PLUGIN_VERSION}"
"""What `velero install --plugins` is told."""
PROJECT = f"docker.io/library/{IMAGE}"
"""The manifests' image under its whole name."""
_VELERO = f"docker.io/velero/velero:{VERSION}"
_HOME = "home/cnb"
_PASSWD = f"root:x:0:0::/root:/none\ncnb:x:1002:1000::/{_HOME}:/none\n"
_AUTHORITIES = Path("/etc/ssl/certs/ca-certificates.crt")


def pack_all(folder: Path) -> list[Path]:
    """Archives of them all, in `folder`."""
    return [*images.pack_all(folder, PROJECT), _velero(folder), _plugin(folder)]


def _velero(folder: Path) -> Path:
    tree, archive = folder / "velero", folder / "velero.tar"
    for name in ("velero", "velero-helper", "velero-restore-helper"):
        _take(name, tree)
    for place in ("tmp", _HOME, "root"):
        (tree / place).mkdir(parents=True)
        (tree / place).chmod(0o777)  # the server's user keeps kopia's settings at home
    (tree / "etc" / "ssl" / "certs").mkdir(parents=True)
    (tree / "etc" / "passwd").write_text(_PASSWD)
    if _AUTHORITIES.exists():
        shutil.copy(_AUTHORITIES, tree / "etc" / "ssl" / "certs")
    oci.pack(_VELERO, [tree], archive, user="1002:1000")
    return archive


def _plugin(folder: Path) -> Path:
    tree, archive = folder / "plugin", folder / "plugin.tar"
    plugin = "velero-plugin-for-aws"
    _take(plugin, tree / "plugins")
    _take("cp-plugin", tree / "bin")
    entry = ["/bin/cp-plugin", f"/plugins/{plugin}", f"/target/{plugin}"]
    oci.pack(f"docker.io/{PLUGIN}", [tree], archive, entry=entry, user="65532:65532")
    return archive


def _take(name: str, tree: Path) -> None:
    tree.mkdir(parents=True, exist_ok=True)
    shutil.copy(VELERO.folder / name, tree / name)
