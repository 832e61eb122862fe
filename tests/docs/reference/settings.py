"""docs/reference/settings.md: what the coordinator and the agents are told, by flag or variable."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from coordinator.flags import flag_of
from coordinator.settings import ENV_PREFIX, Settings
from coordinator.settings_velero import VeleroSettings
from tests.docs.reference.programs import commands
from tests.docs.reference.tables import code, page, table

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from pydantic.fields import FieldInfo

    from tests.docs.reference.programs import Option

WHERE = "where and who"
"""How the title of the group begins that all agents share."""
COORDINATOR = """\
What the programs are told when they start. Limits are not here: they are in the ConfigMap, and
change without a restart ([concepts](../concepts.md#limits)).

## Coordinator

Of `slot-coordinator serve`. The flag wins over the variable; a list in a variable is separated by
commas. In the manifests: `install --flag=--node-cap=4`, with Helm `extraArgs`."""
AGENTS = """\
## Agents

Of all commands of `slot-agent` and of the [library](../library.md), which takes them as arguments.
The flag wins over the variable."""
PODS = """\
In a Pod the variables come from the manifest and the downward API, as
[deploy/examples](../../deploy/examples/job.yaml) shows. What only `run`, `hold` or `sidecar` takes:
[commands](commands.md#slot-agent-run)."""
VARIABLE = re.compile(r"\b(?:NODE|POD)_[A-Z_]+\b")


def text() -> str:
    """The whole page."""
    source = "`coordinator/settings.py` and the agents' command lines"
    return page("Settings", source, _lines())


def _lines() -> Iterator[str]:
    yield from COORDINATOR.splitlines()
    yield ""
    fields, velero = Settings.model_fields, VeleroSettings.model_fields
    others = [name for name in fields if name not in velero]
    others.sort(key=lambda name: name not in Settings.__annotations__)  # its own before its parts'
    yield from _fields({name: fields[name] for name in others})
    yield "### About Velero"
    yield ""
    yield from _fields(velero)
    yield from AGENTS.splitlines()
    yield ""
    yield from table(["flag", "variable", ""], map(_agent_row, _shared()))
    yield from PODS.splitlines()


def _fields(fields: Mapping[str, FieldInfo]) -> list[str]:
    values = {option.names[0]: option.value for option in _command("slot-coordinator serve")}
    rows = [_row(name, info, values[flag_of(name)]) for name, info in fields.items()]
    return table(["flag", "variable", "default", ""], rows)


def _row(name: str, info: FieldInfo, value: str) -> tuple[str, ...]:
    flag, variable = f"{flag_of(name)} {value}".strip(), ENV_PREFIX + name.upper()
    return code(flag), code(variable), _default(info), info.description or ""


def _default(info: FieldInfo) -> str:
    """An empty text, an empty list and None are the absence of a value."""
    default = info.default
    if isinstance(default, bool):
        return "on" if default else "off"
    if isinstance(default, float) and default.is_integer():
        return code(f"{default:.0f}")
    return code(str(default)) if isinstance(default, str | int | float) else ""


def _shared() -> list[Option]:
    """The options of the group that every command of `slot-agent` has."""
    return [one for one in _command("slot-agent run") if one.group.startswith(WHERE)]


def _command(name: str) -> list[Option]:
    (found,) = (one for one in commands() if one.name == name)
    return found.options()


def _agent_row(option: Option) -> tuple[str, ...]:
    variables = VARIABLE.findall(option.text)
    what = option.text.split(": " + variables[0])[0] if variables else option.text
    return code(" ".join([*option.names, option.value])), ", ".join(map(code, variables)), what
