"""What the package shows to its users: names, types, and that no wall clock is read anywhere."""

from __future__ import annotations

import ast
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

import agent_client

ROOT = Path(__file__).parents[2]
SOURCES = sorted((ROOT / "agent_client").rglob("*.py"))
WALL_CLOCKS = {"time", "time_ns", "now", "utcnow", "today", "gmtime", "localtime", "ctime"}

USER = """
import asyncio
from agent_client import AsyncSlot, BlockingSlotClient, SlotClient, SlotLost, several

async def main(client: SlotClient) -> None:
    async with client.slot(load="a", timeout=5, on_lost=lambda slot: None) as slot:
        await slot.checkpoint(timeout=1.0)
        reveal_type(slot)
    async with several(client.wanted(load="a"), client.wanted(load="b")) as slots:
        reveal_type(slots)
    with BlockingSlotClient().slots(["a", "b"]) as both:
        reveal_type(both)

async def wrong(client: SlotClient) -> None:
    async with client.slot(load="a", timout=5) as slot:
        slot.checkpont()
"""


def test_every_public_name_is_there_and_nothing_is_loaded_before_it_is_used() -> None:
    assert [getattr(agent_client, name).__name__ for name in agent_client.__all__]
    assert set(agent_client.__all__) <= set(dir(agent_client))
    with pytest.raises(AttributeError, match="no attribute 'nothing'"):
        _ = agent_client.nothing
    code = (
        "import sys, agent_client; print([m for m in sys.modules if m.startswith('agent_client.')])"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"


def test_a_name_is_the_same_whatever_was_imported_before_it() -> None:
    code = "import agent_client.client, agent_client as a; assert callable(a.several), a.several"
    subprocess.run([sys.executable, "-c", code], check=True)


@pytest.mark.timeout(600)  # mypy reads all of it anew, on a machine that may be busy
def test_a_users_program_is_type_checked_against_the_package(tmp_path: Path) -> None:
    program = tmp_path / "program.py"
    program.write_text(USER)
    command = [sys.executable, "-m", "mypy", "--strict", "--no-incremental", str(program)]
    done = subprocess.run(command, capture_output=True, text=True, check=False, cwd=tmp_path)
    told = done.stdout
    assert 'Revealed type is "agent_client.slot.AsyncSlot"' in told
    assert 'Revealed type is "list[agent_client.slot.AsyncSlot]"' in told
    assert 'Revealed type is "list[agent_client.slot.BlockingSlot]"' in told
    assert 'Unexpected keyword argument "timout"' in told
    assert '"AsyncSlot" has no attribute "checkpont"' in told
    assert "Found 2 errors" in told


def test_the_marker_for_type_checkers_is_part_of_the_wheel(tmp_path: Path) -> None:
    pytest.importorskip("hatchling")
    command = [sys.executable, "-m", "hatchling", "build", "-t", "wheel", "-d", str(tmp_path)]
    subprocess.run(command, check=True, capture_output=True, cwd=ROOT)
    (wheel,) = tmp_path.glob("*.whl")
    names = zipfile.ZipFile(wheel).namelist()
    assert "agent_client/py.typed" in names
    assert "agent_client/together.py" in names


def _reads_of_wall_clocks(tree: ast.AST) -> list[str]:
    """`time.time`, `datetime.now` and their like, however they are called."""
    found = []
    for node in ast.walk(tree):
        if isinstance(node, ast.Attribute) and node.attr in WALL_CLOCKS:
            owner = ast.unparse(node.value)
            if owner.rpartition(".")[2] in {"time", "datetime", "date"}:
                found.append(ast.unparse(node))
        if isinstance(node, ast.ImportFrom) and node.module in {"time", "datetime"}:
            found += [
                alias.name for alias in node.names if alias.name in WALL_CLOCKS | {"datetime"}
            ]
    return found


@pytest.mark.parametrize("source", SOURCES, ids=lambda path: str(path.relative_to(ROOT)))
def test_no_wall_clock_is_read(source: Path) -> None:
    assert _reads_of_wall_clocks(ast.parse(source.read_text())) == []


@pytest.mark.parametrize(
    "code",
    [
        "import time\ntime.time()",
        "from time import time",
        "import datetime\ndatetime.datetime.now()",
    ],
)
def test_a_read_of_a_wall_clock_would_be_seen(code: str) -> None:
    assert _reads_of_wall_clocks(ast.parse(code))
