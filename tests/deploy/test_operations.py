"""docs/operations.md: what it tells is what is installed, and what it types is taken."""

from __future__ import annotations

import argparse
import re
import shlex
import shutil
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from coordinator.cli import _parser
from coordinator.flags import add_flags
from coordinator.install import Options, objects
from coordinator.install.files import EXTRAS
from tests.deploy.rendering import DEPLOY, built, named

if TYPE_CHECKING:
    from tests.tools.programs import Tool

DOCS = Path(__file__).parents[2] / "docs"
TEXT = (DOCS / "operations.md").read_text()


def told_rights() -> dict[str, set[str]]:
    """The verbs by resource, of all rows of the table."""
    table = TEXT.partition("## Rights, and why each")[2].partition("##")[0]
    rows = [line.split("|")[2:4] for line in table.splitlines() if line.startswith("|")][2:]
    found: dict[str, set[str]] = {}
    for what, verbs in rows:
        for name in what.replace(", by name", "").split(","):
            words = name.replace("`", "").split()
            kind = {"ConfigMap": "configmaps", "Secret": "secrets"}
            resource = next((kind[word] for word in words if word in kind), words[0])
            found.setdefault(resource, set()).update(verbs.split())
    return found


def test_the_table_of_rights_is_what_is_installed() -> None:
    given: dict[str, set[str]] = {}
    rules = [
        rule
        for one in objects(Options(clients=("apps",)))
        if "rules" in one
        for rule in one["rules"]
    ]
    for rule in rules:
        for resource in rule["resources"]:
            given.setdefault(resource, set()).update(rule["verbs"])
    assert told_rights() == given


def test_another_namespace_is_had_as_the_guide_shows(kustomize: Tool, tmp_path: Path) -> None:
    shutil.copytree(DEPLOY, tmp_path / "deploy")
    (block,) = re.findall(r"```yaml\n(# backup/inner.*?)```", TEXT, re.DOTALL)
    for file in block.split("---\n"):
        path = tmp_path / file.split()[1]
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(file)
    found = named(built(kustomize, tmp_path / "backup"))
    extras = frozenset({"flow-schema", "admission-policy"})
    assert found == named(objects(Options(namespace="backup", extras=extras)))


def commands(program: str) -> list[str]:
    """The command lines that begin with this program, without what they are piped into."""
    joined = TEXT.replace("\\\n", " ")
    lines = re.findall(rf"(?:^|[`$(]|\n) *({program} [^|`\n]*)", joined)
    return [line.partition(">")[0] if "<(" not in line else line for line in lines]


@pytest.mark.parametrize("line", commands("slot-coordinator"))
def test_the_program_takes_its_command_lines(line: str) -> None:
    words = shlex.split(re.sub(r"<\(.*?\)", "nodes.json", line).replace("...", ""))
    assert _parser().parse_args(words[1:]).run is not None


def test_there_are_command_lines_to_look_at() -> None:
    assert len(commands("slot-coordinator")) >= 6


def test_every_flag_of_the_coordinator_that_is_named_is_one() -> None:
    parser = argparse.ArgumentParser()
    add_flags(parser)
    known = {flag for action in parser._actions for flag in action.option_strings}
    named = re.findall(r"`(--[a-z-]+)(?:=[^`]*)?`", TEXT)
    others = {"--server-side", "--force-conflicts", "--if-unavailable", "--client", "--limits"}
    others |= {
        "--create-namespace",
        "--image",
        "--data-mover-prepare-timeout",
        "--fs-backup-timeout",
    }
    assert {name for name in named if name not in others} <= known


def test_everything_that_may_be_added_is_in_the_table() -> None:
    table = TEXT.partition("### What you may add")[2].partition("\n\n**")[0]
    assert set(re.findall(r"`([a-z-]+)`", table)) - {"workload-low", "hostNetwork"} == set(EXTRAS)


def test_every_link_leads_somewhere() -> None:
    anchors = {
        re.sub(r"[^a-z0-9 -]", "", title.lower()).replace(" ", "-")
        for title in re.findall(r"^#+ (.*)$", TEXT, re.MULTILINE)
    }
    for target in re.findall(r"\]\(([^)]+)\)", TEXT):
        path, _, anchor = target.partition("#")
        assert not path or (DOCS / path).exists(), target
        assert path or anchor in anchors, target
