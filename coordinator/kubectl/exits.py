"""How a command ends, for scripts: one number for each kind of end."""

from __future__ import annotations

OK = 0
WRONG = 1
"""What was asked for is not there, was refused, or is not in order; the text says which."""
USAGE = 2
"""argparse's own, and a question that nobody is there to answer."""
NO_COORDINATOR = 3
"""The command needs a coordinator, and none answered."""
NO_CLUSTER = 4
"""The API server did not answer, or took no credentials."""
INTERRUPTED = 128 + 2
"""Ctrl-C before the end, as a shell tells it; `watch` and `dashboard` end by it with 0."""
PIPE_CLOSED = 128 + 13
"""As a shell tells the end by SIGPIPE."""

TOLD = """\
exit codes: 0 done; 1 not found, refused, or not in order (the text says which); 2 wrong usage;
3 no coordinator answered and the command needs one; 4 the API server did not answer or took no
credentials; 130 Ctrl-C (watch and dashboard end by it with 0)
"""


class Stop(Exception):
    """The command ends here: with this text on stderr, and this exit code."""

    def __init__(self, text: str, code: int = WRONG) -> None:
        super().__init__(text)
        self.code = code
