"""One command from connecting to its exit code: whatever goes wrong on the way becomes a sentence.

Nothing here prints a token: the errors that arrive have none in their texts.
"""

from __future__ import annotations

import asyncio
import sys
from typing import TYPE_CHECKING

from coordinator.kube.credentials import CredentialsError
from coordinator.kube.errors import ApiError, Forbidden, Refused
from coordinator.kubectl import connect, exits
from coordinator.kubectl.exits import Stop
from coordinator.kubectl.table import plain

if TYPE_CHECKING:
    import argparse
    from collections.abc import Awaitable, Callable

    Act = Callable[[argparse.Namespace, connect.Cluster], Awaitable[int]]


def run(arguments: argparse.Namespace, act: Act, *, interrupted: int = exits.INTERRUPTED) -> int:
    """Connect as the command line says, do it, and return the exit code.

    `interrupted` is the code of an end by Ctrl-C.
    """
    try:
        return asyncio.run(_connected(arguments, act))
    except Stop as stop:
        return say(str(stop), stop.code)
    except connect.Unreachable as error:
        return say(f"{error}", exits.NO_COORDINATOR)
    except connect.Refused as error:
        return say(f"the coordinator refused: {error}", exits.WRONG)
    except (ApiError, CredentialsError) as error:
        return say(sentence(error), code_of(error))
    except KeyboardInterrupt:
        return interrupted


async def _connected(arguments: argparse.Namespace, act: Act) -> int:
    async with connect.connect(connect.options_of(arguments)) as cluster:
        return await act(arguments, cluster)


def code_of(error: Exception) -> int:
    """A refusal is an answer; anything else is an API server that gave none."""
    return exits.WRONG if isinstance(error, Refused) else exits.NO_CLUSTER


def sentence(error: Exception) -> str:
    """What an error of the API server means to the person at the terminal."""
    if not isinstance(error, Forbidden):
        return str(error)
    call = error.call
    place = f" -n {call.namespace}" if call.namespace else ""
    asked = f"kubectl auth can-i {call.verb} {call.resource}{place}"
    return f"you lack the right to {call}; ask an administrator for it, and check with: {asked}"


def say(text: str, code: int = exits.OK) -> int:
    """Tell on stderr, where no script looks for data; what comes back is the code."""
    print(f"kubectl node-slots: {plain(text)}", file=sys.stderr)
    return code
