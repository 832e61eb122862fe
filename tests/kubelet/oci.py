"""Container images without a registry: folders become an OCI layout in one tar file."""

from __future__ import annotations

import hashlib
import io
import json
import platform
import tarfile
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

_OCI = "application/vnd.oci.image"
_ARCHITECTURES = {"x86_64": "amd64", "aarch64": "arm64"}
_SEARCHED = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"


def pack(
    name: str, trees: Sequence[Path], target: Path, *, entry: Sequence[str] = (), user: str = ""
) -> None:
    """Writes `target`, an archive for `ctr images import`: each tree is a layer, all root's."""
    layers = [_layer(tree) for tree in trees]
    config = {
        "architecture": _ARCHITECTURES.get(platform.machine(), platform.machine()),
        "os": "linux",
        "config": {"Entrypoint": list(entry), "Env": [f"PATH={_SEARCHED}"], "User": user},
        "rootfs": {"type": "layers", "diff_ids": [_digest(layer) for layer in layers]},
    }
    configuration = _json(config)
    manifest = _json(
        {
            "schemaVersion": 2,
            "mediaType": f"{_OCI}.manifest.v1+json",
            "config": _described("config.v1+json", configuration),
            "layers": [_described("layer.v1.tar", layer) for layer in layers],
        }
    )
    head = _described("manifest.v1+json", manifest)
    head["annotations"] = {"io.containerd.image.name": name}
    index = _json({"schemaVersion": 2, "manifests": [head]})
    files = {"oci-layout": b'{"imageLayoutVersion":"1.0.0"}', "index.json": index}
    blobs = (configuration, manifest, *layers)
    _write(target, files | {f"blobs/sha256/{_digest(blob)[7:]}": blob for blob in blobs})


def _layer(tree: Path) -> bytes:
    """One uncompressed layer; equal trees make equal layers."""
    made = io.BytesIO()
    with tarfile.open(fileobj=made, mode="w", format=tarfile.GNU_FORMAT) as archive:
        for path in sorted(tree.rglob("*")):
            archive.add(path, str(path.relative_to(tree)), recursive=False, filter=_plain)
    return made.getvalue()


def _plain(member: tarfile.TarInfo) -> tarfile.TarInfo:
    member.uid = member.gid = member.mtime = 0
    member.uname = member.gname = ""
    return member


def _described(kind: str, blob: bytes) -> dict[str, Any]:
    return {"mediaType": f"{_OCI}.{kind}", "digest": _digest(blob), "size": len(blob)}


def _digest(blob: bytes) -> str:
    return "sha256:" + hashlib.sha256(blob).hexdigest()


def _json(value: Any) -> bytes:
    return json.dumps(value).encode()


def _write(target: Path, files: dict[str, bytes]) -> None:
    with tarfile.open(target, "w") as archive:
        for name, data in files.items():
            member = tarfile.TarInfo(name)
            member.size = len(data)
            archive.addfile(member, io.BytesIO(data))
