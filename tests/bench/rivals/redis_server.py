"""A real redis-server: Debian's package, unpacked into the cache, run on loopback."""

from __future__ import annotations

import socket
import time
from contextlib import contextmanager
from typing import TYPE_CHECKING

from tests.realserver.process import Process, free_port
from tests.realserver.report import fail_or_skip, say
from tests.tools.debian import NoPackageError, unpacked

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

TITLE = "redis-server"
PACKAGES = ("redis-tools", "libatomic1", "libjemalloc2", "liblzf1")
"""Its program is in redis-tools under another name: the package redis-server is a link to it."""
_PROGRAM = "usr/bin/redis-check-rdb"
_SETTINGS = ("--bind", "127.0.0.1", "--save", "", "--appendonly", "no")
"""In memory alone, as most who use it for locks have it, and as it is fastest."""
_PATIENCE = 30.0


def ensure() -> int:
    """Fetches the packages; the exit code is a failure only where nothing may be left out."""
    try:
        folder = unpacked(PACKAGES)
    except (NoPackageError, OSError) as error:
        return fail_or_skip(str(error), TITLE)
    say(f"== {TITLE}: ready in {folder}")
    return 0


@contextmanager
def running(folder: Path) -> Iterator[int]:
    """One that runs, by its port; `folder` is empty. Raises `NoPackageError`."""
    tree, port = unpacked(PACKAGES), free_port()
    program = folder / "redis-server"  # it goes by the name that it is called by
    program.symlink_to(tree / _PROGRAM)
    libraries = ":".join(str(found) for found in sorted(tree.glob("usr/lib/*-linux-gnu")))
    command = ["/usr/bin/env", f"LD_LIBRARY_PATH={libraries}", str(program)]
    settings = ("--port", str(port), "--dir", str(folder), *_SETTINGS)
    process = Process([*command, *settings], folder / "redis.log")
    try:
        _wait(process, port)
        yield port
    finally:
        process.end()


def _wait(process: Process, port: int) -> None:
    deadline = time.monotonic() + _PATIENCE
    while not _answers(port):
        assert process.is_running(), process.last_words()
        assert time.monotonic() < deadline, process.last_words()
        time.sleep(0.01)


def _answers(port: int) -> bool:
    try:
        socket.create_connection(("127.0.0.1", port), timeout=1.0).close()
    except OSError:
        return False
    return True
