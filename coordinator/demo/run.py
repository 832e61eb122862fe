"""Run the demo: set it up, play it, sum it up, and take it down whatever happens."""

from __future__ import annotations

import asyncio
import os
import signal
import sys
from contextlib import suppress
from typing import TYPE_CHECKING

from coordinator.demo import summary
from coordinator.demo.bare import stand
from coordinator.demo.output import output
from coordinator.demo.play import Play
from coordinator.demo.processes import ProcessDied
from coordinator.demo.stage import Stage

if TYPE_CHECKING:
    from collections.abc import Coroutine

    from coordinator.demo.cluster import Hand
    from coordinator.demo.output import Output

GOOD, BAD, SIGNALLED = 0, 1, 128
"""Exit codes; a signal's number is added to the last."""
SIGNALS = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)


def run(seconds: float, port: int) -> int:
    """Play it for so many seconds (infinite: until a signal). Returns the exit code."""
    out = output()
    return _ran(_play(seconds, port, out), out)


def run_bare(port: int) -> int:
    """Only the cluster and the coordinator, until a signal. Returns the exit code."""
    out = output()
    return _ran(stand(port, out), out)


def _ran(play: Coroutine[None, None, int], out: Output) -> int:
    try:
        return asyncio.run(_until_signal(play))
    except ProcessDied as died:
        out.close()
        out.tell(f"PROBLEM: {died}", "bold red")
        return BAD
    except BrokenPipeError:  # as in `slot-coordinator demo | head`: nobody reads any more
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return SIGNALLED + signal.SIGPIPE


async def _until_signal(play: Coroutine[None, None, int]) -> int:
    """The demo as a task, which the first signal cancels; the second one ends the process."""
    received: list[int] = []
    playing = asyncio.create_task(play)
    loop = asyncio.get_running_loop()

    def stop(number: int) -> None:
        received.append(number)
        playing.cancel()
        for each in SIGNALS:
            loop.remove_signal_handler(each)
            signal.signal(each, signal.SIG_DFL)

    for number in SIGNALS:
        loop.add_signal_handler(number, stop, number)
    with suppress(asyncio.CancelledError):
        return await playing
    return SIGNALLED + received[0]


async def _play(seconds: float, port: int, out: Output) -> int:
    out.tell("starting the API server, the coordinator and the agents ...")
    plays: list[Play] = []

    def notice(hand: Hand) -> None:
        for play in plays:
            play.hand(hand)

    async with await Stage.open(port, notice) as stage:
        out.tell(f"page      {stage.coordinator.api}/", "bold")
        for line in _directions(stage):
            out.tell(line)
        play = Play(stage, out, seconds)
        plays.append(play)
        try:
            await play.run()
        finally:
            out.close()
            await stage.agents.end()
            await play.count()
            found = play.findings()
            out.tell("")
            for line in summary.lines(found):
                out.tell(line)
            for line, good in summary.verdict(found):
                out.tell(line, "bold green" if good else "bold red")
    return BAD if found.problems else GOOD


def _directions(stage: Stage) -> list[str]:
    kubectl = f"  kubectl --kubeconfig {stage.kubeconfig}"
    return [
        f"status    curl -s {stage.watch.url}",
        f"metrics   curl -s {stage.coordinator.api}/metrics",
        "in a second terminal:",
        f"{kubectl} get leases -n velero",
        f"{kubectl} get nodes",
        f"{kubectl} edit cm node-agent-config -n velero",
        f"{kubectl} delete lease node1-slot-0 -n velero",
        "",
    ]
