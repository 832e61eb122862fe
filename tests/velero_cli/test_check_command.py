"""`velero check`: the command, what it prints, and how it ends."""

from __future__ import annotations

import io
import json
from dataclasses import replace
from typing import TYPE_CHECKING

import pytest
from rich.console import Console

from coordinator import cli
from coordinator.core.words import names
from coordinator.velero import check, check_output
from coordinator.velero.check_command import show
from coordinator.velero.check_text import add_argument, span
from tests.velero_cli.worlds import AGENT, OWN, WORLD, agent

if TYPE_CHECKING:
    from pathlib import Path

    from coordinator.velero.check_model import Own
    from coordinator.velero.world import World

BROKEN = replace(WORLD, kubernetes="v1.28.0")
DOUBTFUL = agent(ready=1)


@pytest.mark.parametrize(
    ("world", "strict", "code"),
    [
        (WORLD, True, check.READY),
        (DOUBTFUL, False, check.READY),
        (DOUBTFUL, True, check.WARNINGS),
        (BROKEN, False, check.NOT_READY),
        (BROKEN, True, check.NOT_READY),
    ],
)
def test_the_exit_code_tells_the_worst(world: World, strict: bool, code: int) -> None:
    assert show(world, OWN, "json", strict=strict) == code


def test_json_has_every_finding_with_its_commands(capsys: pytest.CaptureFixture[str]) -> None:
    show(DOUBTFUL, OWN, "json", strict=False)
    told = json.loads(capsys.readouterr().out)
    assert (told["ready"], told["velero"], told["kubernetes"]) == (True, "v1.18.0", "v1.36.3")
    (warning,) = [one for one in told["findings"] if one["level"] == "warning"]
    assert warning["about"] == "node-agent"
    assert warning["commands"] == ["kubectl -n velero get pods -o wide -l name=node-agent"]


def _printed(world: World, own: Own = OWN, width: int = 80) -> str:
    text = io.StringIO()
    found = check.findings(world, own)
    console = Console(file=text, width=width)
    check_output.print_text(console, world, found, installed=bool(own.injected))
    return text.getvalue()


def test_text_keeps_to_the_width_but_never_breaks_a_command() -> None:
    lines = _printed(agent(config_map="", prepare_timeout=60.0)).splitlines()
    long = [line for line in lines if len(line) > 80]
    assert long
    assert all("kubectl" in line and line.startswith(" " * 12) for line in long)


def test_commands_that_were_printed_are_not_printed_again() -> None:
    short = '{"loadConcurrency": {"globalConfig": 1, "prepareQueueLength": 1}}'
    limits = (replace(WORLD.limits[0], data={"c": short}),)
    text = _printed(replace(WORLD, limits=limits))
    assert text.count("patch configmap") == 1
    assert "(the same commands as above)" in text


def test_the_last_line_is_the_verdict() -> None:
    nothing = replace(OWN, injected=())
    assert _printed(WORLD).splitlines()[-1] == "Ready."
    assert _printed(DOUBTFUL).splitlines()[-1] == "Ready, with 1 warning."
    assert _printed(BROKEN).splitlines()[-1] == "Not ready: 1 error, 0 warnings."
    assert (
        _printed(WORLD, nothing).splitlines()[-1].startswith("Ready for `slot-coordinator velero")
    )


def test_a_cluster_that_cannot_be_reached_is_told_without_a_traceback(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    code = cli.main(["velero", "check", "--kubeconfig", str(tmp_path / "none")])
    assert code == check.UNREADABLE
    assert "no kubeconfig at" in capsys.readouterr().err


def test_help_teaches_exit_codes_and_that_nothing_is_changed(
    capsys: pytest.CaptureFixture[str],
) -> None:
    with pytest.raises(SystemExit):
        cli.main(["velero", "check", "--help"])
    text = capsys.readouterr().out
    assert "Nothing is changed" in text
    assert "3 warnings with --strict" in text


def test_a_command_survives_the_shell() -> None:
    told = add_argument("velero", "daemonset", AGENT.name, "--flag=it's 12h")
    assert "'\"'\"'" in told  # the quote inside a quoted word


@pytest.mark.parametrize(
    ("seconds", "text"),
    [(0, "0s"), (45, "45s"), (90, "1m30s"), (1800, "30m"), (3600, "1h"), (4200, "1h10m"),
     (86400, "24h"), (17530, "4h52m")],
)  # fmt: skip
def test_durations_are_written_as_go_reads_them(seconds: float, text: str) -> None:
    assert span(seconds) == text


def test_long_lists_of_names_are_cut() -> None:
    assert names(["a", "b", "c"]) == "a, b, c"
    assert names(["a", "b", "c", "d", "e"]) == "a, b, c and 2 more"
