"""Files as `kubectl` writes and takes them: a ConfigMap or its bare text, a list of Nodes."""

from __future__ import annotations

import json
import re
from dataclasses import dataclass
from pathlib import PurePath
from typing import TYPE_CHECKING, Any

from coordinator.core.limits import ConfigRefused

if TYPE_CHECKING:
    from collections.abc import Mapping

_MANIFEST = re.compile(r"""(^|[{,\s])["']?kind["']?\s*:\s*["']?(ConfigMap|List)\b""")


class Unreadable(ValueError):
    """A file that is not what it was given as."""


@dataclass(frozen=True, slots=True)
class Node:
    """What the limits need to know of a node."""

    name: str
    labels: Mapping[str, str]


def config_data(content: bytes, name: str) -> dict[str, str] | None:
    """The `data` that the file has, or would give a ConfigMap made from it.

    Raises ConfigRefused where there would be none: `kubectl create cm --from-file` puts text that
    is not UTF-8 under `binaryData`, where nobody looks.
    """
    try:
        text = content.decode()
    except UnicodeDecodeError as error:
        raise ConfigRefused(
            "", f"byte {error.start} is not UTF-8; kubectl would store the file as binaryData"
        ) from None
    manifest = _manifest(text) if _MANIFEST.search(text) else None
    if manifest is None:
        return {PurePath(name).name: text}
    data = manifest.get("data")
    if data is not None and not isinstance(data, dict):
        raise ConfigRefused("", "data of the ConfigMap is not a mapping of names to texts")
    for key, value in (data or {}).items():
        if not isinstance(value, str):
            raise ConfigRefused(
                "", f"data.{key} of the ConfigMap is not a text; in YAML write `{key}: |`"
            )
    return data


def read_nodes(content: bytes, name: str) -> list[Node]:
    """The nodes in the output of `kubectl get nodes -o json`, or of `kubectl get node NAME`."""
    try:
        found = json.loads(content)
        return [_node(item) for item in found.get("items", [found])]
    except (ValueError, KeyError, TypeError, AttributeError, RecursionError):
        raise Unreadable(f"{name} is not the output of `kubectl get nodes -o json`") from None


def _node(item: dict[str, Any]) -> Node:
    if item.get("kind", "Node") != "Node":
        raise ValueError(item["kind"])
    metadata = item["metadata"]
    return Node(str(metadata["name"]), dict(metadata.get("labels") or {}))


def _manifest(text: str) -> dict[str, Any] | None:
    """The one ConfigMap in the text, or None when the text is no manifest."""
    import yaml

    try:
        documents = list(yaml.load_all(text, Loader=getattr(yaml, "CSafeLoader", yaml.SafeLoader)))
    except (yaml.YAMLError, ValueError, RecursionError):
        return None
    objects = [found for document in documents for found in _objects(document)]
    config_maps = [found for found in objects if found.get("kind") == "ConfigMap"]
    if len(config_maps) > 1:
        raise ConfigRefused("", f"the file has {len(config_maps)} ConfigMaps; one is needed")
    return config_maps[0] if config_maps else None


def _objects(document: object) -> list[dict[str, Any]]:
    if not isinstance(document, dict):
        return []
    items = document.get("items") if document.get("kind") == "List" else None
    found = items if isinstance(items, list) else [document]
    return [item for item in found if isinstance(item, dict)]
