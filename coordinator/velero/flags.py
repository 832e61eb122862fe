"""The flags that a container gives a Go program, and Go's durations. Pure.

Read as `github.com/spf13/pflag` does, which Velero's commands use: `--name=value`, `--name value`,
`--name` alone for a switch; the last one of a name counts, and `--` ends them.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

_UNITS = {
    "ns": 1e-9,
    "us": 1e-6,
    "µs": 1e-6,
    "μs": 1e-6,
    "ms": 1e-3,
    "s": 1.0,
    "m": 60.0,
    "h": 3600.0,
}
_PART = re.compile(r"([0-9]+(?:\.[0-9]*)?|\.[0-9]+)(ns|us|µs|μs|ms|s|m|h)", re.ASCII)


def runs(container: Mapping[str, Any], *command: str) -> bool:
    """Whether a container runs this command of Velero.

    Its program is the first word of `command`, else the image's: another program's `server`, such
    as that of an object store beside Velero, is none.
    """
    started = [str(word) for word in container.get("command") or []]
    program = started[0] if started else str(container.get("image") or "").partition("@")[0]
    words = started[1:] + [str(word) for word in container.get("args") or []]
    plain = tuple(word for word in words if not word.startswith("-"))
    return "velero" in program.rpartition("/")[2] and plain[: len(command)] == command


def flags(words: Sequence[str]) -> dict[str, str]:
    """The flags among a container's command and arguments, by name without the dashes."""
    found: dict[str, str] = {}
    for at, word in enumerate(words):
        if word == "--":
            break
        if not word.startswith("--"):
            continue
        name, equals, value = word[2:].partition("=")
        after = words[at + 1] if at + 1 < len(words) else "--"
        found[name] = value if equals or after.startswith("-") else after
        if not equals and after.startswith("-"):
            found[name] = "true"
    return found


def duration(text: str) -> float | None:
    """Seconds of a Go duration such as `1h30m` (`time.ParseDuration`); None where it is none."""
    sign = -1.0 if text.startswith("-") else 1.0
    rest = text[1:] if text[:1] in ("-", "+") else text
    if rest == "0":
        return 0.0
    parts = _PART.findall(rest)
    if not parts or "".join(number + unit for number, unit in parts) != rest:
        return None
    return sign * sum(float(number) * _UNITS[unit] for number, unit in parts)


def seconds_of(given: Mapping[str, str], name: str, default: float) -> float:
    """The duration that a flag sets, in seconds; the default where it is not set or unreadable."""
    found = duration(given.get(name, ""))
    return default if found is None else found
