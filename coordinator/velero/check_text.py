"""Durations, versions and commands that findings share. Pure."""

from __future__ import annotations

import json
import re
import shlex

_VERSION = re.compile(r"v?([0-9]+)\.([0-9]+)", re.ASCII)


def minor(version: str) -> tuple[int, int] | None:
    """Major and minor of a version such as v1.30.4-gke.1; None where it has none."""
    found = _VERSION.match(version)
    return (int(found[1]), int(found[2])) if found else None


def span(seconds: float) -> str:
    """A duration as people and Go write it, such as 1h10m, 30m or 45s."""
    whole = round(seconds)
    hours, minutes, rest = whole // 3600, whole % 3600 // 60, whole % 60
    if whole < 60:
        return f"{rest}s"
    parts = [(hours, "h"), (minutes, "m"), (rest if whole < 600 else 0, "s")]
    return "".join(f"{number}{unit}" for number, unit in parts if number)


def kubectl(namespace: str, *words: str) -> str:
    """A kubectl command, quoted for a shell."""
    return shlex.join(["kubectl", "-n", namespace, *words])


def add_argument(namespace: str, kind: str, name: str, argument: str) -> str:
    """The command that gives a workload's first container one more argument.

    Of a flag that stands twice Velero takes the last (pflag), so it need not be looked for.
    """
    path = "/spec/template/spec/containers/0/args/-"
    patch = json.dumps([{"op": "add", "path": path, "value": argument}], separators=(",", ":"))
    return kubectl(namespace, "patch", kind, name, "--type=json", "-p", patch)
