"""The console blocks of a page: which command in which terminal shows which lines."""

from __future__ import annotations

import re
from dataclasses import dataclass

_BLOCK = re.compile(r"^```console ?(.*)\n((?:.*\n)*?)```$", re.MULTILINE)
MASKS = (
    (r"\d{4}-\d\d-\d\dT[0-9:.]+(?:Z|\+00:00)", "TIME"),
    (r"\b\d+ (?:min|h)(?: \d+ s)?\b|\b\d+(?:\.\d)? s\b", "AGE"),
    (r"\b\d+:\d\d(?::\d\d)?\b", "AGE"),
    (r"\b(?:\d+d)?(?:\d+h)?(?:\d+m)?\d+s\b|\b\d+[mhd]\b", "AGE"),
    (r"\[(\d)\] \d+", r"[\1] PID"),
    (r"(?<=fencing token )\d+", "TOKEN"),
    (r"\b[\w.-]+_[0-9a-f]{8}\b", "REPLICA"),
)
"""What differs from run to run, and what stands for it."""
NAMES = (r"\b[0-9a-f]{32}\b", r"/\S*/node-slots-\w+(?=/)", r"(?<=127\.0\.0\.1:)\d+")
"""What a reader copies from one command's output into the next: claims, folders, ports."""


@dataclass(frozen=True, slots=True)
class Step:
    """One command, or Ctrl-C where it is "^C", in a terminal; and what is then shown."""

    terminal: str
    command: str
    shown: tuple[str, ...]


def steps(page: str) -> list[Step]:
    """All of a page's, in order. A block without a name goes on in the terminal before it."""
    found: list[Step] = []
    terminal = ""
    for name, body in _BLOCK.findall(page):
        terminal = name or terminal
        for part in re.split(r"^(?=\$ |\^C$)", body, flags=re.MULTILINE):
            if part.strip():
                head, *shown = part.replace("\\\n", "").splitlines()
                lines = tuple(line.strip() for line in shown if line.strip())
                found.append(Step(terminal, head.removeprefix("$ "), lines))
    return found


def masked(line: str) -> str:
    """The line without what differs from run to run, and without its columns' widths."""
    for pattern, word in MASKS:
        line = re.sub(pattern, word, line)
    for pattern in NAMES:
        line = re.sub(pattern, "NAME", line)
    return " ".join(line.split())


class Names:
    """What the page calls one thing and this run another."""

    def __init__(self) -> None:
        self._ours: dict[str, str] = {}

    def learn(self, told: str, shown: str) -> None:
        """From a line of the page, and the line that it stands for."""
        for pattern in NAMES:
            pairs = zip(re.findall(pattern, told), re.findall(pattern, shown), strict=True)
            self._ours.update(pairs)

    def ours(self, command: str) -> str:
        """The page's command, with this run's names."""
        for theirs, own in self._ours.items():
            command = command.replace(theirs, own)
        return command
