"""What the figures were measured on, without which they say nothing."""

from __future__ import annotations

import os
import platform
import subprocess
from datetime import UTC, datetime
from importlib.metadata import version
from pathlib import Path

from tests.realserver import binaries

_LIBRARIES = ("aiohttp", "uvloop", "orjson", "pydantic")


def machine() -> dict[str, str]:
    """The day, the processor, memory, kernel and the versions of what takes part."""
    return {
        "measured on": datetime.now(UTC).date().isoformat(),
        "processor": f"{os.cpu_count()} cores of {_processor()}",
        "memory": f"{_memory():.0f} GiB",
        "kernel": platform.release().split("-")[0],
        "Python": platform.python_version(),
        "libraries": ", ".join(f"{name} {version(name)}" for name in _LIBRARIES),
        "API server": _api_server(),
    }


def _processor() -> str:
    for line in Path("/proc/cpuinfo").read_text().splitlines():
        if line.startswith("model name"):
            return line.partition(": ")[2]
    return platform.machine()


def _memory() -> float:
    return os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / 1024**3


def _api_server() -> str:
    found = binaries.find()
    if found is None:
        return "not built"
    told = [[str(found.kube_apiserver), "--version"], [str(found.etcd), "--version"]]
    lines = [_output(command).splitlines()[0] for command in told]
    return f"{lines[0]}, {lines[1]}"


def _output(command: list[str]) -> str:
    return subprocess.run(command, capture_output=True, text=True, check=True).stdout
