"""What tab offers, and that a real bash, and a real kubectl, take it."""

from __future__ import annotations

import asyncio
import os
import re
import shutil
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from coordinator import kubectl
from coordinator.kubectl import completion, naming
from coordinator.kubectl.cli import COMMANDS, parser
from coordinator.kubectl.completion import FILES, NO_FILES, complete
from tests.kubectl.stand import run_plugin

if TYPE_CHECKING:
    from tests.kubectl.stand import Stand

NAMED = {"nodes", "node", "explain", "watch", "release", "check", "hold", "unhold", "dashboard"}
ENTRY = "import sys; from coordinator.kubectl.{} import main; sys.exit(main())"


def offers(*words: str) -> list[str]:
    found, directive = complete(parser(), words)
    assert directive == NO_FILES
    return [line.partition("\t")[0] for line in found]


def test_the_commands_are_offered_first_each_with_a_word_about_it() -> None:
    found, _ = complete(parser(), [""])
    assert {line.split("\t")[0] for line in found} == NAMED | {"version"}
    assert all(line.split("\t")[1] for line in found)


def test_what_is_begun_narrows_what_is_offered() -> None:
    assert offers("no") == ["nodes", "node"]
    assert offers("node", "--conte") == ["--context"]


def test_a_commands_options_are_its_own() -> None:
    assert "--reason" in offers("hold", "worker-1", "--")
    assert "--reason" not in offers("release", "--")


def test_choices_are_offered_after_their_option() -> None:
    assert offers("-o", "") == ["json", "yaml", "wide", "name"]
    assert offers("node", "-o", "y") == ["yaml"]


@pytest.mark.parametrize("words", [("check", "-f", ""), ("--kubeconfig", ""), ("--ca-file", "/t")])
def test_files_are_left_to_the_shell(words: tuple[str, ...]) -> None:
    assert complete(parser(), words) == ([], FILES)


def test_an_options_value_is_no_command() -> None:
    assert "explain" in offers("-n", "node", "")


def test_without_a_cluster_there_is_nothing_to_offer_and_no_error(
    capsys: pytest.CaptureFixture[str],
) -> None:
    assert offers("--kubeconfig", "/nowhere", "node", "") == []
    assert offers("--timeout", "x", "node", "") == []
    assert capsys.readouterr() == ("", "")


async def told(stand: Stand, *words: str) -> list[str]:
    where = ("--kubeconfig", str(stand.kubeconfig), "--server", stand.url)
    return await asyncio.to_thread(offers, *where, *words)


async def test_nodes_leases_and_what_can_be_explained_come_from_the_cluster(
    busy: Stand, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(naming, "PATIENCE", 30.0)  # here the machine may be as slow as it is
    nodes = ["worker-1", "worker-2", "worker-3"]
    for command in ("nodes", "node", "watch", "hold", "unhold"):
        assert await told(busy, command, "") == nodes
    assert await told(busy, "node", "worker-3") == ["worker-3"]
    assert await told(busy, "release", "worker-2") == ["worker-2-slot-0", "worker-2-slot-1"]
    assert await told(busy, "explain", "pod-") == ["pod-0", "pod-1", "pod-2", "pod-3"]
    assert await told(busy, "explain", "s") == ["solo"], "one without a Pod by its claim"
    assert await told(busy, "-n", "v") == ["velero"]


# --- shells ---------------------------------------------------------------------------------------


@pytest.fixture
def path(tmp_path: Path) -> str:
    """A PATH with the plugin and its completer, as an installation has them."""
    for name, module in (
        ("kubectl-node_slots", "cli"),
        ("kubectl_complete-node_slots", "completion"),
    ):
        file = tmp_path / name
        file.write_text(f"#!{sys.executable} -P\n{ENTRY.format(module)}\n")
        file.chmod(0o755)
    return f"{tmp_path}{os.pathsep}{os.environ['PATH']}"


def answer(command: list[str], path: str, text: str = "") -> list[str]:
    """The lines that a program prints."""
    environment = {**os.environ, "PATH": path, "KUBECONFIG": "/nowhere", "HOME": "/nowhere"}
    done = subprocess.run(
        command, input=text, env=environment, capture_output=True, text=True, timeout=60, check=True
    )
    return done.stdout.splitlines()


def test_bash_completes_with_the_printed_script(path: str) -> None:
    script = run_plugin(["--print-completion", "bash"]).out
    typed = 'COMP_WORDS=(kubectl-node_slots node -o ""); COMP_CWORD=3; _kubectl_node_slots'
    show = 'printf "%s\\n" "${COMPREPLY[@]}"; complete -p kubectl-node_slots'
    lines = answer(["bash", "--norc", "-eu"], path, f"{script}\n{typed}\n{show}\n")
    assert lines[:-1] == ["json", "yaml", "name"]
    assert "-F _kubectl_node_slots" in lines[-1]


def test_kubectl_itself_asks_the_completer(path: str) -> None:
    """kubectl's own completion script, in every shell, asks `kubectl __complete`."""
    if shutil.which("kubectl", path=path) is None:
        pytest.skip("there is no kubectl on the PATH")
    lines = answer(["kubectl", "__complete", "node-slots", "ex"], path)
    assert [line.split("\t")[0] for line in lines] == ["explain", ":4"]


@pytest.mark.parametrize("shell", ["zsh", "tcsh"])
def test_other_shells_get_a_script_with_every_command(shell: str) -> None:
    script = run_plugin(["--print-completion", shell]).out
    assert all(name in script for name in NAMED)
    assert "kubectl-node_slots" in script


def test_the_completer_answers_as_kubectl_reads_it(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(sys, "argv", ["kubectl_complete-node_slots", "check", "-f", ""])
    assert completion.main() == 0
    assert capsys.readouterr().out == f"{FILES}\n"


def test_every_command_helps_with_an_example_or_a_reason() -> None:
    assert len(COMMANDS) == len(set(COMMANDS))
    for name in sorted(NAMED | {"version"}):
        told = run_plugin([name, "--help"])
        assert told.code == 0
        assert f"usage: kubectl node-slots {name}" in told.out
        assert "Ctrl-C" in told.out or "kubectl node-slots" in told.out


def test_no_help_says_a_name_of_the_code() -> None:
    modules = "|".join(sorted(path.stem for path in Path(kubectl.__file__).parent.glob("*.py")))
    for name in sorted(NAMED):
        told = run_plugin([name, "--help"]).out
        assert not re.search(rf"(?<!\.)\b({modules})\.[a-z]", told), name


def test_help_tells_every_exit_code() -> None:
    told = run_plugin(["--help"]).out
    assert all(f"{code} " in told.partition("exit codes:")[2] for code in (0, 1, 2, 3, 4, 130))


def test_help_loads_nothing_of_the_connection() -> None:
    heavy = ("aiohttp", "kubernetes", "rich", "yaml", "orjson", "pydantic", "asyncio")
    code = "import sys; from coordinator.kubectl.cli import parser; parser().format_help(); "
    code += f"print([name for name in {heavy!r} if name in sys.modules])"
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, timeout=60, check=True
    )
    assert done.stdout.strip() == "[]"
