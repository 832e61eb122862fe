"""Ask Velero and this project the same questions; `python -m tests.oracle.compare --help`."""

from __future__ import annotations

import argparse
import collections
import json
import os
import random
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Any

from coordinator.core.limits import ConfigRefused, read_config
from tests.oracle.cases import generate

HERE = Path(__file__).parent
MAX_STORED = 900_000


def main() -> int:
    """Generate cases, ask both, print where they part; 1 when they do."""
    options = _options()
    cases = list(generate(random.Random(options.seed), options.count))
    answers = ask_velero(cases, options.oracle)
    differing = 0
    for case, answer in zip(cases, answers, strict=True):
        expected = (True, None) if twice(case["data"]) else (answer["refused"], answer["limit"])
        ours = ask_us(case)
        if ours[:2] != expected:
            differing += 1
            _say(f"{json.dumps(case)[:1500]}\n  ours {ours}\n  velero {answer}")
    refused = sum(answer["refused"] for answer in answers)
    _say(f"{len(cases)} cases, Velero refuses {refused}, {differing} differ")
    if options.store:
        store(cases, answers, options.store)
    return 1 if differing else 0


def ask_us(case: dict[str, Any]) -> tuple[bool, int | None, str]:
    """(refused, limit, why refused) as this project reads it."""
    try:
        rules = read_config(case["data"])
    except ConfigRefused as refused:
        return True, None, str(refused)
    return False, rules.resolve(case["node_labels"] or {}).limit, ""


def ask_velero(cases: list[dict[str, Any]], oracle: Path | None) -> list[dict[str, Any]]:
    """The oracle's answers, one a case; builds the oracle unless its binary is given."""
    with tempfile.TemporaryDirectory() as folder:
        binary = oracle or build(Path(folder) / "oracle")
        lines = "".join(json.dumps(case) + "\n" for case in cases)
        run = subprocess.run([binary], input=lines, capture_output=True, text=True, check=True)
    return [json.loads(line) for line in run.stdout.splitlines()]


def build(binary: Path) -> Path:
    """Compile the oracle; several minutes the first time."""
    command = ["nice", "go", "build", "-trimpath", "-o", str(binary), "."]
    subprocess.run(command, cwd=HERE, check=True, env={**os.environ, "CGO_ENABLED": "0"})
    return binary


def twice(data: dict[str, str] | None) -> bool:
    """Whether a key stands twice in an object: the one case that Velero takes and we do not."""
    found = False

    def count(pairs: list[tuple[str, Any]]) -> None:
        nonlocal found
        keys = collections.Counter("".join(map(_whole, key)) for key, _ in pairs)
        found = found or any(times > 1 for times in keys.values())

    for text in (data or {}).values():
        try:
            json.loads(text, object_pairs_hook=count, parse_int=str, parse_float=str)
        except (ValueError, RecursionError):
            continue
    return found


def store(cases: list[dict[str, Any]], answers: list[dict[str, Any]], path: Path) -> None:
    """Write cases with Velero's answers, as many as stay below 900 kB; huge texts are left out."""
    lines: list[str] = []
    size = 0
    for case, answer in zip(cases, answers, strict=True):
        line = json.dumps({**case, "refused": answer["refused"], "limit": answer["limit"]}) + "\n"
        if len(line) < 1500 and size + len(line) < MAX_STORED:
            lines.append(line)
            size += len(line)
    path.write_text("".join(lines))
    _say(f"{len(lines)} cases, {size} bytes in {path}")


def _whole(character: str) -> str:
    return "\ufffd" if "\ud800" <= character <= "\udfff" else character


def _say(line: str) -> None:
    sys.stdout.write(line + "\n")


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--count", type=int, default=20_000, help="cases to make up")
    parser.add_argument("--seed", type=int, default=random.SystemRandom().randrange(10**6))
    parser.add_argument("--oracle", type=Path, help="a compiled oracle; else it is built")
    parser.add_argument("--store", type=Path, help="keep the cases and Velero's answers here")
    options = parser.parse_args()
    _say(f"seed {options.seed}")
    return options


if __name__ == "__main__":
    sys.exit(main())
