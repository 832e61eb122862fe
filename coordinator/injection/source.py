"""The files of `deploy/velero`: packaged in a wheel, else the checkout's own."""

from __future__ import annotations

from functools import cache
from importlib.resources import files
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Mapping
    from importlib.resources.abc import Traversable

Object = dict[str, Any]


@cache
def read(name: str) -> tuple[Object, ...]:
    """The documents of this file, shared by all who read it: `filled` makes copies."""
    import yaml

    text = _folder().joinpath(name).read_text(encoding="utf-8")
    return tuple(document for document in yaml.safe_load_all(text) if document)


def filled(part: Any, words: Mapping[str, str]) -> Any:
    """A copy of `part` in which each `${WORD}` is what `words` says of it."""
    if isinstance(part, dict):
        return {key: filled(value, words) for key, value in part.items()}
    if isinstance(part, list):
        return [filled(one, words) for one in part]
    if not isinstance(part, str):
        return part
    for word, text in words.items():
        part = part.replace("${" + word + "}", text)
    return part


def _folder() -> Traversable:
    packaged = files("coordinator.injection") / "deploy"
    return packaged if packaged.is_dir() else Path(__file__).parents[2] / "deploy" / "velero"
