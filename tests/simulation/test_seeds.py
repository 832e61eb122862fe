"""200 seeds of the whole system; `make simulate` runs more of them."""

from __future__ import annotations

import os
import subprocess
import sys

import pytest

FIRST, LAST, SHARE = 0, 200, 50
"""Seeds in all, and how many one test runs."""
DEADLINE = 900.0
"""Seconds for them. They only compute: ten seconds on a free machine, minutes on a busy one."""
pytestmark = pytest.mark.timeout(2 * DEADLINE)


def simulate(*arguments: str) -> subprocess.CompletedProcess[str]:
    """In a process of its own: seeds need Python's hashes to be the same each time."""
    command = [sys.executable, "-m", "tests.simulation", *arguments]
    environment = {**os.environ, "PYTHONHASHSEED": "0"}
    return subprocess.run(
        command, capture_output=True, text=True, timeout=DEADLINE, env=environment, check=False
    )


@pytest.mark.parametrize("first", range(FIRST, LAST, SHARE))
def test_every_promise_holds_in_every_seed(first: int) -> None:
    done = simulate("--first-seed", str(first), "--seeds", str(SHARE), "--workers", "1")
    assert done.returncode == 0, done.stdout + done.stderr
    assert f"{SHARE} seeds, 0 failed" in done.stdout


def test_the_same_seed_gives_the_same_log_byte_for_byte() -> None:
    once, again = (simulate("--first-seed", "7", "--trace") for _ in range(2))
    assert once.returncode == 0, once.stdout[-2000:] + once.stderr
    assert once.stdout == again.stdout
    assert len(once.stdout.splitlines()) > 100


def test_a_seed_gives_the_same_log_alone_and_after_others() -> None:
    alone = simulate("--first-seed", "3", "--seeds", "1", "--digests")
    others = simulate("--first-seed", "0", "--seeds", "4", "--digests", "--workers", "1")
    line = next(one for one in alone.stdout.splitlines() if one.startswith("seed 3: log"))
    assert line in others.stdout.splitlines()
