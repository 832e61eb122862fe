"""A node's first process: whatever ends it, nothing that it started lives on."""

from __future__ import annotations

import json
import os
import secrets
import select
import subprocess
import sys
from pathlib import Path

import pytest

from tests.e2e.waiting import DEADLINE, until
from tests.kubelet import init

pytestmark = [pytest.mark.kubelet, pytest.mark.usefixtures("able")]
REPOSITORY = Path(__file__).parents[2]
# Starts a node as the tier does, and waits to be killed.
OWNER = f"""
import pathlib, sys
from tests.realserver.process import Process
folder = pathlib.Path(sys.argv[1])
command = [sys.executable, "-I", "-S", {init.__file__!r}, str(folder / "plan.json")]
started = Process(command, folder / "init.log")
sys.stdin.read()
"""


def pids(word: str) -> list[int]:
    """The processes with this word on their command line."""
    found = []
    for path in Path("/proc").glob("[0-9]*/cmdline"):
        try:
            if word.encode() in path.read_bytes().split(b"\0"):
                found.append(int(path.parent.name))
        except OSError:  # it ended while we looked
            continue
    return found


def test_when_the_tier_is_killed_its_nodes_end_with_all_they_run(tmp_path: Path) -> None:
    mark = f"{600 + secrets.randbelow(10**9) / 10**9:.9f}"
    daemon = [sys.executable, "-c", f"import os; os.fork(); os.execlp('sleep', 'sleep', '{mark}')"]
    plan = {"containerd": daemon, "kubelet": [], "environment": {}, "folder": str(tmp_path)}
    hidden = {"hidden": ["/var/log"], "settings": {"/proc/sys/kernel/panic": 10}}
    (tmp_path / "plan.json").write_text(json.dumps(plan | hidden))
    before = Path("/proc/sys/kernel/panic").read_text()
    command = [sys.executable, "-c", OWNER, str(tmp_path)]
    with subprocess.Popen(command, cwd=REPOSITORY, stdin=subprocess.PIPE) as owner:
        both = until(lambda: found if len(found := pids(mark)) == 2 else [], "both run")
        watched = [os.pidfd_open(pid) for pid in both]
        owner.kill()
    for pidfd in watched:
        ready, _, _ = select.select([pidfd], [], [], DEADLINE)
        os.close(pidfd)
        assert ready
    assert str(tmp_path) not in Path("/proc/self/mountinfo").read_text()
    assert Path("/proc/sys/kernel/panic").read_text() == before
