"""Where a result goes: a table or a description for people, `-o json|yaml|name` for programs."""

from __future__ import annotations

import argparse
import json
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterable

DATA = ("json", "yaml")
TABLES = ("json", "yaml", "wide", "name")
CONFIG_MAP = "node-slots"
"""The ConfigMap of limits, as it is installed."""


def add_output(parser: argparse.ArgumentParser, *kinds: str, headers: bool = True) -> None:
    """`-o` with these kinds, and `--no-headers` where tables are printed."""
    parser.add_argument(
        "-o",
        "--output",
        choices=kinds,
        default=argparse.SUPPRESS,
        help="json and yaml: all that is known, as data; wide: more columns; name: names alone"
        if "name" in kinds
        else "all that is known, as data",
    )
    if headers:
        parser.add_argument(
            "--no-headers",
            action="store_true",
            default=argparse.SUPPRESS,
            help="tables without their first line",
        )


def add_configmap(parser: argparse.ArgumentParser) -> None:
    """Which ConfigMap has the limits, for when nobody can be asked."""
    parser.add_argument(
        "--configmap",
        metavar="NAME",
        default=argparse.SUPPRESS,
        help="the ConfigMap of limits, read where no coordinator answers; default: " + CONFIG_MAP,
    )


def config_map_of(arguments: argparse.Namespace) -> str:
    """What `--configmap` said."""
    return str(getattr(arguments, "configmap", CONFIG_MAP))


def output_of(arguments: argparse.Namespace) -> str:
    """The kind that `-o` asked for, "" for what people read."""
    return str(getattr(arguments, "output", ""))


def headers_of(arguments: argparse.Namespace) -> bool:
    """Whether tables have their first line."""
    return not getattr(arguments, "no_headers", False)


def show(lines: Iterable[str]) -> None:
    """Print lines."""
    for line in lines:
        print(line)


def show_data(value: Any, kind: str) -> None:
    """Print a value as `kubectl -o json` and `-o yaml` would."""
    if kind == "json":
        print(json.dumps(value, indent=4, ensure_ascii=False))
        return
    import yaml

    print(yaml.safe_dump(value, sort_keys=False, allow_unicode=True), end="")
