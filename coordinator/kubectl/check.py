"""`kubectl node-slots check -f FILE`: limits read and held against the living cluster."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

from coordinator.kubectl.exits import OK, USAGE, WRONG, Stop
from coordinator.kubectl.layout import add_command
from coordinator.kubectl.printing import DATA, add_output, output_of, show, show_data

if TYPE_CHECKING:
    import argparse

    from coordinator.core.limits import LimitRules
    from coordinator.kubectl.connect import Cluster

    Json = dict[str, Any]
    Parsers = argparse._SubParsersAction[argparse.ArgumentParser]

DESCRIPTION = """\
Read a file of limits as the coordinator and Velero's node-agent do, and say what it would change in
this cluster: which nodes from what to what, how many holders would be over their limit (they keep
their slots), which rules match no node or decide for none. Nothing is changed.

FILE is a ConfigMap manifest, YAML or JSON, or the bare text that `kubectl create configmap
--from-file` takes; `-` is stdin. It ends with 1 where the file is refused, and with --strict where
there are warnings or rules that match nothing. Where no coordinator answers, the file is read all
the same and this ends with 3. `slot-coordinator check` reads a file without a cluster.
"""
EXAMPLES = """\
examples:
  kubectl node-slots check -f limits.json
  kubectl get configmap node-slots -n velero -o yaml | kubectl node-slots check -f - --strict
"""


def add_parser(commands: Parsers, common: argparse.ArgumentParser) -> None:
    """Mount the command as `check`."""
    parser = add_command(
        commands,
        common,
        "check",
        "read limits, and preview what they would change",
        DESCRIPTION,
        EXAMPLES,
    )
    parser.add_argument("-f", "--filename", required=True, metavar="FILE")
    parser.add_argument("--strict", action="store_true", help="warnings end it with 1 too")
    add_output(parser, *DATA, headers=False)
    parser.set_defaults(run=run)


def run(arguments: argparse.Namespace) -> int:
    """Lint and preview. Returns the exit code."""
    from coordinator.core.limits import ConfigRefused, read_config
    from coordinator.kubectl import session
    from coordinator.manifests import config_data

    name = "stdin" if arguments.filename == "-" else str(arguments.filename)
    try:
        data = config_data(_contents(arguments.filename), name)
        rules = read_config(data)
    except OSError as error:
        return session.say(f"{error.filename}: {error.strerror}", USAGE)
    except ConfigRefused as refused:
        _show_refused(name, refused, output_of(arguments))
        return WRONG
    (arguments.text,) = (data or {}).values()
    arguments.rules, arguments.name = rules, name
    return session.run(arguments, _preview)


def _contents(file: str) -> bytes:
    return sys.stdin.buffer.read() if file == "-" else Path(file).read_bytes()


def _show_refused(name: str, refused: Exception, kind: str) -> None:
    if kind in DATA:
        show_data({"accepted": False, "error": str(refused)}, kind)
    else:
        show([f"{name}: refused", f"  {refused}"])


async def _preview(arguments: argparse.Namespace, cluster: Cluster) -> int:
    from coordinator.kubectl.asking import Pool
    from coordinator.kubectl.connect import Unreachable
    from coordinator.kubectl.exits import NO_COORDINATOR
    from coordinator.kubectl.previewing import preview_lines

    rules, kind = arguments.rules, output_of(arguments)
    try:
        told = await Pool(await cluster.coordinator(), cluster.namespace).preview(arguments.text)
    except Unreachable as error:
        _show_alone(arguments.name, rules, kind)
        raise Stop(f"read, but not held against the cluster: {error}", NO_COORDINATOR) from None
    if kind in DATA:
        show_data(told, kind)
    else:
        show(preview_lines(arguments.name, told))
    return _code(told, strict=arguments.strict)


def _show_alone(name: str, rules: LimitRules, kind: str) -> None:
    """What the file says, where no coordinator says what that means."""
    from coordinator.kubectl.table import count

    warnings = [str(warning) for warning in rules.warnings]
    if kind in DATA:
        show_data({"accepted": True, "error": "", "warnings": warnings}, kind)
        return
    counting = sum(not rule.void for rule in rules.rules)
    show([f"{name}: accepted; {count(counting, 'rule')}, else {rules.limit} ({rules.origin})"])
    show(f"  warning: {warning}" for warning in warnings)


def _code(told: Json, *, strict: bool) -> int:
    if not told["accepted"]:
        return WRONG
    return WRONG if strict and (told["warnings"] or told["unmatched"]) else OK
