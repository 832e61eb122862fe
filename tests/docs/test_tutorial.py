"""docs/tutorial.md, typed as a reader would type it: every command, every line that it shows."""

from __future__ import annotations

import os
import re
import shutil
import sys
import time
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from tests.docs import transcript
from tests.docs.places import DOCS
from tests.docs.terminal import Terminal
from tests.docs.transcript import Names, masked, steps
from tests.realserver.process import free_port

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.docs.transcript import Step

PAGE = (DOCS / "tutorial.md").read_text("utf-8")
PATIENCE = 90.0
"""Seconds for one step. None takes that long; a machine under load may make it look so."""
WITH_KUBECTL = "with kubectl"
"""The terminal of the steps that need a program which is not ours."""
ASKING = ("slots", "kubectl-node_slots", "kubectl get leases")
"""Commands that change nothing: asked again until the cluster has followed."""
EVERYTHING = "..."


class Reader:
    """Types what the page says, and compares."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._terminals: dict[str, Terminal] = {}
        self._names = Names()
        self._names.learn("127.0.0.1:18443", f"127.0.0.1:{free_port()}")

    def follow(self, step: Step) -> None:
        """Do what the step says; fails when something else is shown."""
        terminal = self._terminal(step.terminal)
        deadline = time.monotonic() + PATIENCE
        if step.command == "^C":
            terminal.interrupt()
            terminal.waits_for_a_command(deadline)
            return
        self._type(terminal, step, deadline)
        told = ""
        while wrong := self._compare(terminal, step):
            told = wrong if terminal.ended else told
            final = terminal.ended and not step.command.startswith(ASKING)
            if final or time.monotonic() > deadline:
                pytest.fail(f"$ {step.command}\n{told or wrong}")
            if terminal.ended:
                self._type(terminal, step, deadline)
            terminal.listen(0.2)

    def close(self) -> None:
        """End all that runs."""
        for terminal in reversed(self._terminals.values()):
            terminal.close()

    def _terminal(self, name: str) -> Terminal:
        if name not in self._terminals:
            self._terminals[name] = Terminal(_environment(self._folder), self._folder)
        return self._terminals[name]

    def _type(self, terminal: Terminal, step: Step, deadline: float) -> None:
        terminal.type(self._names.ours(step.command).replace("18443", self._port), deadline)

    @property
    def _port(self) -> str:
        return self._names.ours("127.0.0.1:18443").rpartition(":")[2]

    def _compare(self, terminal: Terminal, step: Step) -> str:
        """What is wrong, "" when all is shown; a command that has ended shows nothing else."""
        shown, at = terminal.lines(), 0
        # What runs in the background may have a word before the prompt is there.
        whole = EVERYTHING not in step.shown and not step.command.endswith("&")
        if whole and terminal.ended and len(shown) != len(step.shown):
            return f"shows {shown}\ninstead of {step.shown}"
        if not step.shown:
            return ""
        for told in step.shown:
            if told == EVERYTHING:
                continue
            found = next((n for n in range(at, len(shown)) if masked(shown[n]) == masked(told)), -1)
            if found < 0:
                return f"does not show {told!r}\nbut {shown}"
            self._names.learn(told, shown[found])
            at = found + 1
        return ""


def _environment(folder: Path) -> dict[str, str]:
    beside = str(Path(sys.executable).parent)
    path = os.pathsep.join([beside, os.environ.get("PATH", os.defpath)])
    return {"PATH": path, "HOME": str(folder), "TMPDIR": str(folder), "LANG": "C.UTF-8"}


@pytest.fixture
def reader(tmp_path: Path) -> Iterator[Reader]:
    found = Reader(tmp_path)
    yield found
    found.close()


def has_kubectl() -> bool:
    return shutil.which("kubectl") is not None


@pytest.mark.slow
@pytest.mark.timeout(600)
def test_every_command_shows_what_the_page_says(reader: Reader) -> None:
    for step in steps(PAGE):
        if step.terminal != WITH_KUBECTL or has_kubectl():
            reader.follow(step)


def test_the_steps_with_kubectl_are_followed_too() -> None:
    assert any(step.terminal == WITH_KUBECTL for step in steps(PAGE))
    if not has_kubectl():
        pytest.skip("docs/tutorial.md: the steps with kubectl are not followed, there is none here")


def test_the_page_has_no_command_that_is_not_followed() -> None:
    fences = re.findall(r"^```(\S+).*$", PAGE, re.MULTILINE)
    assert set(fences) == {"console"}
    shown = sum(line.startswith(("$ ", "^C")) for line in PAGE.splitlines())
    assert shown == len(steps(PAGE)) > 10


@pytest.mark.parametrize(
    ("told", "shown"),
    [
        ("node3-slot-0   backup-1   41s", "node3-slot-0  backup-1  2m5s"),
        ("held by backup-1 for 0:12", "held by backup-1 for 1:00:07"),
        ("waits for 12 min, 1 of 7", "waits for 3 s, 1 of 7"),
        ("[1] 4711", "[1] 99"),
        ("http://127.0.0.1:18443/", "http://127.0.0.1:20001/"),
        ("KUBECONFIG=/tmp/node-slots-4f2k9x1d/kubeconfig", "KUBECONFIG=/x/node-slots-a/kubeconfig"),
    ],
)
def test_what_differs_from_run_to_run_does_not_count(told: str, shown: str) -> None:
    assert masked(told) == masked(shown)


@pytest.mark.parametrize(
    ("told", "shown"),
    [
        ("2 of 2 slots of node3 are held", "1 of 2 slots of node3 are held"),
        ("node3   2   2   1", "node3   2   2   2"),
        ("position 1", "position 2"),
    ],
)
def test_what_the_page_is_about_counts(told: str, shown: str) -> None:
    assert masked(told) != masked(shown)


def test_a_block_is_read_with_its_terminal() -> None:
    page = "```console first\n$ one\nshown\n```\nwords\n```console\n$ two \\\n  more\n^C\n```\n"
    assert transcript.steps(page) == [
        transcript.Step("first", "one", ("shown",)),
        transcript.Step("first", "two   more", ()),
        transcript.Step("first", "^C", ()),
    ]
