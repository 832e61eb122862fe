"""What is said aloud about the real API server, and whether going without it is allowed."""

from __future__ import annotations

import os
import sys

REQUIRE_VARIABLE = "NODESLOTS_REQUIRE_REAL"
LOUD = "!!! NO REAL API SERVER, ITS TESTS ARE NOT RUN"


def say(line: str) -> None:
    """One line to the terminal, at once."""
    sys.stdout.write(line + "\n")
    sys.stdout.flush()


def is_required() -> bool:
    """Whether tests on the real API server must run: CI forbids to skip them."""
    return os.environ.get(REQUIRE_VARIABLE, "") not in ("", "0")


def without_real_server(why: str) -> str:
    """The one loud line for tests that do not run."""
    return f"{LOUD}: {why}"


def fail_or_skip(why: str) -> int:
    """Says the loud line; the exit code is a failure only where the real server is required."""
    say(without_real_server(why))
    if is_required():
        say(f"!!! {REQUIRE_VARIABLE} is set: this is a failure")
        return 1
    return 0
