"""`slot-agent hold --status`: what the hold container next door waits for, or holds."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

from agent_client.hold import record as r
from agent_client.hold.files import RECORD, Files, is_alive

if TYPE_CHECKING:
    from pathlib import Path

HOLDS, DOES_NOT, NOTHING = 0, 1, 3


def status(folder: Path, now: float, *, raw: bool = False) -> tuple[int, str]:
    """The exit code and what to print; `raw`: the record, with `alive` and `seconds` in its state.

    0: it holds a slot. 1: it does not, or is not sure. 3: no hold has written to `folder`.
    """
    told = Files(folder).read()
    if not told or "state" not in told:
        return NOTHING, f"no hold has told anything in {folder / RECORD}: does one run here?"
    alive = is_alive(told)
    seconds = max(0.0, now - told["since"])
    code = HOLDS if alive and told["state"] == r.HELD else DOES_NOT
    if raw:
        return code, json.dumps({**told, "alive": alive, "seconds": round(seconds, 1)})
    return code, _told(told, seconds, alive=alive)


def _told(told: r.Record, seconds: float, *, alive: bool) -> str:
    line = f"load {told['load']} {r.sentence(told)}"
    if alive:
        return f"{line}\nsince {r.duration(seconds)}; claim {told['claim']}"
    if told["state"] == r.LEFT:
        return line
    return f"hold itself has ended; the last it told: {line}"
