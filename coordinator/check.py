"""`slot-coordinator check`: read a file of limits before it is applied, and say what it does."""

from __future__ import annotations

import argparse
import json
import sys
from operator import attrgetter
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

from coordinator.core.limits import ConfigRefused, LimitRules, Resolution, Rule, read_config
from coordinator.core.words import count
from coordinator.manifests import Node, Unreadable, config_data, read_nodes

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

CLEAN, REFUSED, UNREADABLE, WARNINGS = 0, 1, 2, 3
"""Exit codes. 2 is argparse's own for a wrong command line; a missing file is no better."""

Output = Literal["text", "json"]
Resolved = list[tuple[Node, Resolution]]

DESCRIPTION = """\
Read a configuration of limits exactly as the coordinator (and Velero's node-agent) reads it,
before it is applied. Given the nodes, print each node's limit and the rule behind it.

FILE is the JSON text as used with `kubectl create cm NAME --from-file=FILE`, or a ConfigMap
manifest, JSON or YAML. `-` is stdin.
"""
EXAMPLES = """\
examples:
  slot-coordinator check --config limits.json
  kubectl get nodes -o json | slot-coordinator check --config limits.json --nodes -
  kubectl get cm node-slots -n velero -o yaml | slot-coordinator check --config - --strict

exit codes: 0 clean, or warnings without --strict; 1 refused; 2 a file cannot be read;
3 warnings with --strict
"""


def check(
    config: Path | Literal["-"],
    nodes: Path | Literal["-"] | None = None,
    output: Output = "text",
    strict: bool = False,
) -> int:
    """Check a file, print the findings on stdout, and return the exit code.

    A file that cannot be read at all is told on stderr.
    """
    try:
        if config == nodes == "-":
            raise Unreadable("--config and --nodes cannot both be stdin")
        text = _contents(config)
        known = read_nodes(_contents(nodes), _name(nodes)) if nodes else []
    except OSError as error:
        return _unreadable(f"{error.filename}: {error.strerror}")
    except Unreadable as error:
        return _unreadable(str(error))
    try:
        rules = read_config(config_data(text, _name(config)))
    except ConfigRefused as refused:
        _print_refusal(_name(config), refused, output)
        return REFUSED
    resolved = [
        (node, rules.resolve(node.labels)) for node in sorted(known, key=attrgetter("name"))
    ]
    if output == "json":
        _print_json(_report(_name(config), rules, resolved))
    else:
        _print_text(_name(config), rules, resolved)
    return WARNINGS if strict and rules.warnings else CLEAN


def add_parser(commands: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Mount the command as `check`; it sets `run`, a callable from the parsed arguments to int."""
    parser = commands.add_parser(
        "check",
        help="read a file of limits before it is applied",
        description=DESCRIPTION,
        epilog=EXAMPLES,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    _add_arguments(parser)


def main(arguments: Sequence[str] | None = None) -> int:
    """The command alone: `python -m coordinator.check`."""
    parser = argparse.ArgumentParser(
        prog="slot-coordinator check",
        description=DESCRIPTION,
        epilog=EXAMPLES,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    _add_arguments(parser)
    return _run(parser.parse_args(arguments))


def _add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--config", required=True, type=_file, metavar="FILE", help="what to check")
    parser.add_argument(
        "--nodes",
        type=_file,
        metavar="FILE",
        help="the output of `kubectl get nodes -o json`: print each node's limit too",
    )
    parser.add_argument("-o", "--output", choices=("text", "json"), default="text")
    parser.add_argument("--strict", action="store_true", help="exit 3 when there are warnings")
    parser.set_defaults(run=_run)


def _run(options: argparse.Namespace) -> int:
    return check(options.config, options.nodes, options.output, options.strict)


def _file(argument: str) -> Path | str:
    return argument if argument == "-" else Path(argument)


def _name(file: Path | Literal["-"]) -> str:
    return "stdin" if file == "-" else str(file)


def _contents(file: Path | Literal["-"]) -> bytes:
    return sys.stdin.buffer.read() if file == "-" else Path(file).read_bytes()


def _unreadable(why: str) -> int:
    print(f"slot-coordinator check: {why}", file=sys.stderr)
    return UNREADABLE


def _print_refusal(name: str, refused: ConfigRefused, output: Output) -> None:
    if output == "json":
        why = {"path": refused.path, "reason": refused.reason}
        _print_json({"file": name, "refused": why, "warnings": [], "nodes": []})
    else:
        print(f"{name}: refused\n  {refused}")


def _report(name: str, rules: LimitRules, resolved: Resolved) -> dict[str, Any]:
    """What `-o json` prints; its keys are stable."""
    return {
        "file": name,
        "refused": None,
        "warnings": [{"path": w.path, "message": w.message} for w in rules.warnings],
        "fallback": {"limit": rules.limit, "from": rules.origin},
        "nodes": [
            {
                "name": node.name,
                "limit": found.limit,
                "decidedBy": _rule_report(found.decided_by),
                "matched": [_rule_report(rule) for rule in found.matched],
                "skipped": [
                    {"rule": s.rule.index, "selector": s.rule.text, "reason": s.reason}
                    for s in rules.skipped(node.labels)
                ],
            }
            for node, found in resolved
        ],
    }


def _rule_report(rule: Rule | str) -> dict[str, Any] | str:
    if isinstance(rule, str):
        return rule
    return {"rule": rule.index, "selector": rule.text, "number": rule.number}


def _print_json(report: dict[str, Any]) -> None:
    print(json.dumps(report, indent=2))


def _print_text(name: str, rules: LimitRules, resolved: Resolved) -> None:
    counting = sum(not rule.void for rule in rules.rules)
    print(f"{name}: accepted; {count(counting, 'rule')}, else {rules.limit} ({rules.origin})")
    for warning in rules.warnings:
        print(f"  warning: {warning}")
    if resolved:
        print()
        rows = [
            (node.name, str(found.limit), found.why, _others(found)) for node, found in resolved
        ]
        _print_table(("NODE", "LIMIT", "DECIDED BY", "ALSO MATCHED"), rows)


def _others(found: Resolution) -> str:
    others = [rule for rule in found.matched if rule is not found.decided_by]
    return ", ".join(f"{rule.name} ({rule.number})" for rule in others)


def _print_table(head: tuple[str, ...], rows: Iterable[tuple[str, ...]]) -> None:
    table = [head, *rows]
    widths = [max(map(len, column)) for column in zip(*table, strict=True)]
    for row in table:
        cells = (cell.ljust(width) for cell, width in zip(row, widths, strict=True))
        print("   ".join(cells).rstrip())


if __name__ == "__main__":
    sys.exit(main())
