"""Every log line that the coordinator can write, read from its source."""

from __future__ import annotations

import ast
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import coordinator

if TYPE_CHECKING:
    from collections.abc import Iterator

ROOT = Path(coordinator.__file__).parent
LEVELS = {"debug", "info", "warning", "error", "exception", "log"}
LOGGERS = {"log", "_log"}


@dataclass(frozen=True)
class LogCall:
    """One call of a logger. `event` is None where it is no literal, or a name for either."""

    place: str
    level: str
    event: str | None
    fields: tuple[str, ...]


def calls() -> Iterator[LogCall]:
    """All of `slot-coordinator serve`: the demo and the plugin talk to people."""
    for path in sorted(ROOT.rglob("*.py")):
        for node in ast.walk(ast.parse(path.read_text("utf-8"))):
            if isinstance(node, ast.Call) and _is_log(node.func):
                yield _call(node, f"{path.relative_to(ROOT.parent)}:{node.lineno}")


def _is_log(function: ast.expr) -> bool:
    if not isinstance(function, ast.Attribute) or function.attr not in LEVELS:
        return False
    owner = function.value
    name = owner.id if isinstance(owner, ast.Name) else getattr(owner, "attr", "")
    return name in LOGGERS


def _call(node: ast.Call, place: str) -> LogCall:
    function = node.func
    level = function.attr if isinstance(function, ast.Attribute) else ""
    event = node.args[1 if level == "log" else 0]
    text = event.value if isinstance(event, ast.Constant) else None
    fields = tuple(word.arg for word in node.keywords if word.arg)
    return LogCall(place, level, text if isinstance(text, str) else None, fields)
