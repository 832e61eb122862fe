"""The command before it runs: whether it can, what its load is called, what it is told."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

from agent_client.wrapper.exits import Exit

if TYPE_CHECKING:
    from collections.abc import Mapping

    from agent_client.slot import AsyncSlot

LONGEST_LOAD = 256
"""Characters of a load's name, in the protocol."""


def find(program: str, environ: Mapping[str, str]) -> str | None:
    """The file that a shell would run for `program`; None when there is none.

    As `shutil.which`, whose import costs more than all of this package.
    """
    folders = [""] if os.sep in program else os.get_exec_path(environ)
    paths = (os.path.join(folder, program) for folder in folders)  # noqa: PTH118 - "" stays ""
    return next((path for path in paths if _runs(path)), None)


def unusable(program: str) -> tuple[Exit, str] | None:
    """Why `program` cannot be run, before anybody waits for a slot for it; None when it can."""
    if find(program, os.environ) is not None:
        return None
    if os.sep in program and os.path.exists(program):  # noqa: PTH110 - a name, not a path object
        return Exit.NOT_EXECUTABLE, f"{program}: not an executable file"
    return Exit.NOT_FOUND, f"{program}: command not found"


def load_of(program: str) -> str:
    """The load's name where none is given: the command's base name, as far as it is printable."""
    name = os.path.basename(program)  # noqa: PTH119 - a name, not a path object
    return "".join(c for c in name if c.isprintable())[:LONGEST_LOAD] or "command"


def child_environment(environ: Mapping[str, str], slot: AsyncSlot) -> dict[str, str]:
    """`environ` with SLOT_* telling of `slot`; those of an outer slot are gone."""
    told = {
        "SLOT_GOVERNED": "true" if slot.governed else "false",
        "SLOT_NAMESPACE": slot.namespace,
        "SLOT_NODE": slot.node,
        "SLOT_LOAD": slot.load,
        "SLOT_CLAIM": slot.claim,
        "SLOT_ORDINAL": slot.ordinal,
        "SLOT_LEASE": slot.lease,
        "SLOT_FENCING_TOKEN": slot.fencing_token,
    }
    rest = {name: value for name, value in environ.items() if name not in told}
    return {**rest, **{name: str(value) for name, value in told.items() if value is not None}}


def _runs(path: str) -> bool:
    return os.path.isfile(path) and os.access(path, os.X_OK)  # noqa: PTH113 - a name again
