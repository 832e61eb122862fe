"""The objects as one YAML text that `kubectl apply -f -` takes."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import yaml

if TYPE_CHECKING:
    from collections.abc import Iterable

    from coordinator.install.files import Object


class _Plain(yaml.SafeDumper):
    """No anchors, lists set in, texts of several lines as they are: for people to read."""

    def ignore_aliases(self, data: Any) -> bool:
        return True

    def increase_indent(self, flow: bool = False, indentless: bool = False) -> None:
        super().increase_indent(flow, False)


def _text(dumper: yaml.SafeDumper, text: str) -> yaml.ScalarNode:
    style = "|" if "\n" in text else None
    return dumper.represent_scalar("tag:yaml.org,2002:str", text, style=style)


_Plain.add_representer(str, _text)


def rendered(head: Iterable[str], objects: Iterable[Object]) -> str:
    """The lines of `head` as comments, then each object."""
    comments = "".join(f"# {line}".rstrip() + "\n" for line in head)
    options: dict[str, Any] = {"sort_keys": False, "width": 100, "allow_unicode": True}
    text: str = yaml.dump_all(objects, Dumper=_Plain, explicit_start=True, **options)
    return comments + text
