"""All planted bugs by name."""

from __future__ import annotations

from tests.simulation.planted import agents, leading, serving, taking, writing
from tests.simulation.planted.bug import Bug, bug_of

BUGS: dict[str, Bug] = {
    bug.name: bug
    for module in (writing, taking, serving, leading, agents)
    for bug in map(bug_of, module.ALL)
}
