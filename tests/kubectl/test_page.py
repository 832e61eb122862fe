"""docs/kubectl.md tells what the plugin prints and how it ends."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from coordinator.kubectl import exits, previewing, status, why
from coordinator.kubectl.nodes import WHOLE
from coordinator.kubectl.why import QUEUE

PAGE = (Path(__file__).parents[2] / "docs/kubectl.md").read_text()


@pytest.mark.parametrize(
    "header", [status.HEADER, why.HOLDERS, QUEUE, previewing.CHANGED, previewing.RULES]
)
def test_the_tables_on_the_page_have_the_columns_that_are_printed(header: tuple[str, ...]) -> None:
    assert list(header) in [line.split() for line in PAGE.splitlines()]


def test_the_page_tells_every_exit_code_and_no_other() -> None:
    table = PAGE.partition("| code | means |")[2].partition("\n\n")[0]
    told = {int(code) for code in re.findall(r"^\| (\d+) \|", table, re.MULTILINE)}
    known = (exits.OK, exits.WRONG, exits.USAGE, exits.NO_COORDINATOR, exits.NO_CLUSTER)
    assert told == {*known, exits.INTERRUPTED}


def test_the_page_tells_from_how_many_nodes_on_idle_ones_are_left_out() -> None:
    assert f"more than {WHOLE} nodes" in PAGE
