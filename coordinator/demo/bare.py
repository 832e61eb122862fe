"""The demo without its loads: a cluster and a coordinator for whoever wants to try by hand."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

from coordinator.demo import scenario
from coordinator.demo.stage import Stage

if TYPE_CHECKING:
    from coordinator.demo.cluster import Hand
    from coordinator.demo.output import Output

LOOK_SECONDS = 0.5
SETTLING_SECONDS = 1.0
"""For so long a new leader gathers who was waiting and grants nothing: here nobody was."""
NODE = "node3"
"""The node of the lines that are printed: the smallest limit, so that it is full soonest."""


async def stand(port: int, output: Output) -> int:
    """Tell how it is reached, then stay until cancelled. Raises `ProcessDied`."""

    def notice(hand: Hand) -> None:
        output.tell(str(hand))

    output.tell("starting the API server and the coordinator ...")
    async with await Stage.open(port, notice) as stage:
        await asyncio.sleep(SETTLING_SECONDS)
        for line in _directions(stage):
            output.tell(line)
        while True:
            stage.coordinator.check()
            await asyncio.sleep(LOOK_SECONDS)


def _directions(stage: Stage) -> list[str]:
    limits = ", ".join(f"{node} {limit}" for node, limit in scenario.LIMITS.items())
    return [
        f"limits: {limits}",
        "",
        f"page      {stage.coordinator.api}/",
        f"status    {stage.watch.url}",
        "in each other terminal:",
        f"  export KUBECONFIG={stage.kubeconfig}",
        f"  export NODE_SLOTS_URL={stage.coordinator.api}",
        f"  export NODE_SLOTS_NAMESPACE={scenario.NAMESPACE} NODE_NAME={NODE}",
        "  slot-agent run --load backup-1 -- sleep 600",
        "",
        "Ctrl-C ends all of it.",
    ]
