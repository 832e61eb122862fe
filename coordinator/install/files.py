"""The manifests of `deploy/`: packaged in a wheel, else the checkout's own.

They are kustomizations, and read as kustomize reads them, as far as these files go: `resources`,
`components`, `patches` of two forms and `configMapGenerator`. `kubectl kustomize` gives the same.
"""

from __future__ import annotations

from functools import cache
from importlib.resources import files
from pathlib import Path
from typing import TYPE_CHECKING, Any

from coordinator.install.patches import patched

if TYPE_CHECKING:
    from importlib.resources.abc import Traversable

Object = dict[str, Any]
Place = tuple[str, ...]

EXTRAS: dict[str, Place] = {
    "priority-class": ("components", "priority-class"),
    "network-policy": ("components", "network-policy"),
    "flow-schema": ("components", "flow-schema"),
    "admission-policy": ("components", "admission-policy"),
    "tls-mounted": ("components", "tls-mounted"),
    "cert-manager": ("components", "cert-manager"),
    "service-monitor": ("monitoring", "service-monitor"),
    "alerts": ("monitoring", "alerts"),
    "dashboard": ("monitoring", "dashboard"),
}
"""What may be added, and its folder in `deploy/`. In this order they are applied."""

MOUNTED: frozenset[str] = frozenset({"tls-mounted", "cert-manager"})
"""Those of them that take the certificate from a Secret."""

BASE: Place = ("base",)
MOUNTED_CA: Place = ("monitoring", "mounted-ca")
"""What service-monitor needs beside one of these."""
POOL: Place = ("components", "pool-namespace")
CLIENT: Place = ("components", "client-namespace")


def built(*places: Place) -> list[Object]:
    """The objects of these folders, patched. What one folder has taken in is not taken again."""
    found: list[Object] = []
    done: list[Place] = []
    for place in places:
        found = _built(place, found, done)
    return found


def _built(place: Place, found: list[Object], done: list[Place]) -> list[Object]:
    if place in done:
        return found
    done.append(place)
    (told,) = _read(place, "kustomization.yaml")
    found = [*found, *_resources(place, told)]
    for other in told.get("components", ()):
        found = _built(_beside(place, other), found, done)
    for patch in told.get("patches", ()):
        found = patched(found, patch)
    return found


def _resources(place: Place, told: Object) -> list[Object]:
    named = [one for name in told.get("resources", ()) for one in _read(place, name)]
    return [*named, *(_config_map(place, one) for one in told.get("configMapGenerator", ()))]


def _config_map(place: Place, told: Object) -> Object:
    sources = (source.partition("=") for source in told["files"])
    data = {key: _text(place, name or key) for key, _, name in sources}
    metadata = {"name": told["name"], "labels": told["options"]["labels"]}
    return {"apiVersion": "v1", "kind": "ConfigMap", "metadata": metadata, "data": data}


def _beside(place: Place, path: str) -> Place:
    """Where a relative path leads; not by `..` in a path, which an archive does not know."""
    for part in path.split("/"):
        place = place[:-1] if part == ".." else (*place, part)
    return place


def _read(place: Place, name: str) -> list[Object]:
    import yaml

    return [document for document in yaml.safe_load_all(_text(place, name)) if document]


def _text(place: Place, name: str) -> str:
    return _deploy().joinpath(*place, name).read_text(encoding="utf-8")


@cache
def _deploy() -> Traversable:
    packaged = files("coordinator.install") / "deploy"
    return packaged if packaged.is_dir() else Path(__file__).parents[2] / "deploy"
