"""Where CPU time and writes went while something ran: the account of one run."""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable

    from tests.bench.rig import Rig
    from tests.bench.scenario import Figures
    from tests.bench.served import Served


def cpu_of(pid: int) -> float:
    """CPU seconds of all threads of a process so far."""
    threads = Path(f"/proc/{pid}/task").glob("*/schedstat")
    return sum(int(thread.read_text().split()[0]) for thread in threads) / 1e9


def resident(pid: int) -> float:
    """Bytes that the process has in memory."""
    pages = Path(f"/proc/{pid}/statm").read_text().split()[1]
    return float(pages) * os.sysconf("SC_PAGE_SIZE")


def per_operation(rig: Rig, served: Served | None, run: Callable[[], Figures]) -> Figures:
    """The figures of `run`, its `total` replaced by what each operation took: CPU milliseconds of
    the API server, etcd, the coordinator and the load itself, and writes of Leases.
    """
    pids = _pids(rig, served)
    before, written = {name: cpu_of(pid) for name, pid in pids.items()}, rig.writes()
    figures = run()
    total, load = figures.pop("total"), figures.pop("load CPU s")
    for name, pid in pids.items():
        figures[f"{name} CPU ms"] = 1000 * (cpu_of(pid) - before[name]) / total
    figures["load CPU ms"] = 1000 * load / total
    figures["writes"] = (rig.writes() - written) / total
    return figures


def _pids(rig: Rig, served: Served | None) -> dict[str, int]:
    server, etcd = rig.server.process, rig.server.etcd
    assert server is not None
    assert etcd is not None
    found = {"API server": server.pid, "etcd": etcd.pid}
    return found if served is None else found | {"coordinator": served.pid}
