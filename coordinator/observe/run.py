"""`slot-coordinator observe`, done: files, signals, the session, and the exit code."""

from __future__ import annotations

import asyncio
import json
import signal
import sys
from contextlib import ExitStack
from pathlib import Path
from typing import TYPE_CHECKING

from coordinator.core.limits import ConfigRefused
from coordinator.core.words import count
from coordinator.kube.client import KubeClient
from coordinator.kube.credentials import CredentialsError, load_access
from coordinator.kube.errors import ApiError
from coordinator.manifests import config_data
from coordinator.observe import journal
from coordinator.observe.judging import given
from coordinator.observe.output import output
from coordinator.observe.recorder import Recorder
from coordinator.observe.session import Session

if TYPE_CHECKING:
    import argparse

    from coordinator.observe.judging import Judge

LOOKED, AWAY, UNUSABLE = 0, 1, 2
"""Exit codes. 2 is argparse's own for a wrong command line."""
INTERRUPTED = 128 + 2
"""Ctrl-C in the middle of the only look."""

CONFIG_MAP = "cm/"
"""Before the name of a ConfigMap in --limits."""


class _Unusable(Exception):
    """A file or an option that cannot be used; the text says why."""


def run(arguments: argparse.Namespace) -> int:
    """Look as the command line says. Returns the exit code."""
    try:
        return asyncio.run(_observe(arguments))
    except ApiError as error:
        return _say(f"nothing is seen: {error}", AWAY)
    except (_Unusable, CredentialsError, journal.NoRecording) as error:
        return _say(str(error), UNUSABLE)
    except BrokenPipeError:
        raise  # of standard output: for the command line to tell
    except OSError as error:
        return _say(_of_file(error), UNUSABLE)
    except KeyboardInterrupt:
        return INTERRUPTED


def report(file: Path, limits: str, kind: str) -> int:
    """Print what a recording shows. Returns the exit code."""
    try:
        if limits.startswith(CONFIG_MAP):
            raise _Unusable("with --report, --limits takes a file: a recording asks no cluster")
        judge = _judge(limits)
        recording = journal.read(file.read_bytes(), str(file))
    except (_Unusable, journal.NoRecording) as error:
        return _say(str(error), UNUSABLE)
    except OSError as error:
        return _say(_of_file(error), UNUSABLE)
    _print_report(recording, judge, kind)
    return LOOKED


def _print_report(recording: journal.Recording, judge: Judge | None, kind: str) -> None:
    from rich.console import Console

    from coordinator.observe import as_json
    from coordinator.observe.history import history
    from coordinator.observe.report import report as worked_out
    from coordinator.observe.report_text import render

    found = worked_out(history(recording, judge))
    if kind == "json":
        print(json.dumps(as_json.report(found), indent=2))
    else:
        console = Console()
        console.print(render(found, console.width))


async def _observe(arguments: argparse.Namespace) -> int:
    judge = None if arguments.limits.startswith(CONFIG_MAP) else _judge(arguments.limits)
    limits = arguments.limits.removeprefix(CONFIG_MAP) if judge is None else ""
    every = arguments.watch or _default_every(arguments)
    access = await load_access(arguments.kubeconfig, arguments.context)
    with ExitStack() as stack:
        recorder = None
        if arguments.record is not None:
            recorder = stack.enter_context(Recorder(arguments.record, every or 0.0))
        shown = output(arguments.output, follows=bool(every))
        stack.callback(shown.close)
        async with KubeClient(access, user_agent="slot-coordinator-observe") as client:
            session = Session(
                client, arguments.namespace, shown, judge=judge, limits=limits, recorder=recorder
            )
            await _look(session, every, arguments.seconds)
    if recorder is not None:
        lines = count(recorder.written, "line")
        print(f"{lines} written to {recorder.path}", file=sys.stderr)
    return LOOKED


def _default_every(arguments: argparse.Namespace) -> float:
    """0 for one look."""
    from coordinator.observe.command import EVERY

    return EVERY if arguments.record is not None or arguments.seconds else 0.0


async def _look(session: Session, every: float, seconds: float | None) -> None:
    if not every or seconds == 0:
        await session.look()
        return
    stop, loop = asyncio.Event(), asyncio.get_running_loop()
    for number in (signal.SIGINT, signal.SIGTERM):
        loop.add_signal_handler(number, stop.set)
    if seconds:
        loop.call_later(seconds, stop.set)
    await session.follow(every, stop)


def _judge(file: str) -> Judge | None:
    """A judge by a file of limits, as `slot-coordinator check` takes it; None without a file."""
    if not file:
        return None
    try:
        return given(config_data(Path(file).read_bytes(), file), file)
    except ConfigRefused as refused:
        raise _Unusable(
            f"{file} is refused: {refused}; see slot-coordinator check --config {file}"
        ) from None


def _of_file(error: OSError) -> str:
    return f"{error.filename or 'the recording'}: {error.strerror or error}"


def _say(text: str, code: int) -> int:
    print(f"slot-coordinator observe: {text}", file=sys.stderr)
    return code
