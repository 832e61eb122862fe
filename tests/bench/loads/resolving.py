"""Resolves every node's limit as the coordinator does; the argument is a file as in `selectors`.

Reading the file and the rules is not measured. The digest is that of the Go loop: each node's limit
and the rule that decides, in their order.
"""

from __future__ import annotations

import hashlib
import sys
import time
from pathlib import Path
from typing import TYPE_CHECKING

import orjson

from coordinator.core.limits import Rule, read_config

if TYPE_CHECKING:
    from collections.abc import Iterable

    from coordinator.core.limits import Resolution


def main(file: Path) -> None:
    given = orjson.loads(file.read_bytes())
    text = orjson.dumps({"loadConcurrency": given["loadConcurrency"]}).decode()
    rules, nodes = read_config({"limits": text}), given["nodes"]
    began, cpu = time.perf_counter(), time.thread_time()
    found = [rules.resolve(labels) for labels in nodes]
    cpu, took = time.thread_time() - cpu, time.perf_counter() - began
    told = {"ms": 1000 * took, "CPU ms": 1000 * cpu, "digest": _digest(found)}
    sys.stdout.write(orjson.dumps(told).decode() + "\n")


def _digest(found: Iterable[Resolution]) -> str:
    digest = hashlib.sha256()
    for one in found:
        rule = one.decided_by.index if isinstance(one.decided_by, Rule) else -1
        digest.update(f"{one.limit} {rule}\n".encode())
    return digest.hexdigest()


if __name__ == "__main__":
    main(Path(sys.argv[1]))
