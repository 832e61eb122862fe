"""What is said aloud about programs that are not there, and whether to go on without them."""

from __future__ import annotations

import os
import sys

REQUIRE_VARIABLE = "NODESLOTS_REQUIRE_REAL"
REAL_SERVER = "real API server"


def say(line: str) -> None:
    """One line to the terminal, at once."""
    sys.stdout.write(line + "\n")
    sys.stdout.flush()


def is_required() -> bool:
    """Whether tests on the real API server must run: CI forbids to skip them."""
    return os.environ.get(REQUIRE_VARIABLE, "") not in ("", "0")


def loud(title: str) -> str:
    """How the line begins that says that something was not to be had."""
    return f"!!! NO {title.upper()}, ITS TESTS ARE NOT RUN"


def without(title: str, why: str) -> str:
    """The one loud line for tests that do not run."""
    return f"{loud(title)}: {why}"


def without_real_server(why: str) -> str:
    """The same for the tests on the real API server."""
    return without(REAL_SERVER, why)


def fail_or_skip(why: str, title: str = REAL_SERVER) -> int:
    """Says the loud line; the exit code is a failure only where nothing may be left out."""
    say(without(title, why))
    if is_required():
        say(f"!!! {REQUIRE_VARIABLE} is set: this is a failure")
        return 1
    return 0


def is_loud(text: str) -> bool:
    """Whether this is, or holds, a line of `without`."""
    return "!!! NO " in text and "NOT RUN" in text
