"""The tools are those that the modules here pin, and going without them is told."""

from __future__ import annotations

import threading
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from typing import TYPE_CHECKING

import pytest

from tests.bench.rivals import redis_server
from tests.browser import chromium
from tests.e2e.waiting import DEADLINE
from tests.monitoring import prometheus
from tests.realserver import build, toolchain
from tests.realserver import programs as realserver_programs
from tests.realserver.programs import GoPrograms
from tests.realserver.report import REQUIRE_VARIABLE, loud
from tests.tools import debian, definitions
from tests.tools.build import main
from tests.tools.programs import ALL, HELM
from tests.tools.using import tool

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path


@pytest.mark.parametrize("programs", ALL, ids=lambda programs: programs.title)
def test_a_tool_runs_in_a_home_of_its_own(programs: GoPrograms, tmp_path: Path) -> None:
    assert programs.title in tool(programs, tmp_path)(["help"])


def test_another_version_is_another_folder(tmp_path: Path) -> None:
    for name in ("go.mod", "go.sum"):
        (tmp_path / name).write_bytes((HELM.module / name).read_bytes())
    copied = replace(HELM, module=tmp_path)
    assert copied.folder == HELM.folder
    mod = tmp_path / "go.mod"
    mod.write_text(mod.read_text().replace(HELM.versions()["helm"], "v4.0.0"))
    assert copied.folder != HELM.folder
    assert "helm-v4.0.0-" in copied.folder.name


def test_two_programs_of_one_module_have_folders_of_their_own() -> None:
    other = replace(HELM, packages={"other": "example.org/other"})
    assert other.folder != HELM.folder


def _no_toolchain() -> Path:
    raise toolchain.NoGoError("no Go toolchain")


@pytest.mark.parametrize(("required", "code"), [("", 0), ("1", 1)])
def test_what_cannot_be_had_is_told_and_fails_only_where_required(
    required: str,
    code: int,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    monkeypatch.setenv(REQUIRE_VARIABLE, required)
    monkeypatch.setattr(toolchain, "find_go", _no_toolchain)
    for fetched in (chromium, prometheus, redis_server):  # Debian's packages need no toolchain
        monkeypatch.setattr(fetched, "ensure", lambda: 0)
    assert main() == code
    said = capsys.readouterr().out
    for title in (*(one.title for one in ALL), definitions.TITLE):
        assert f"{loud(title)}: no Go toolchain" in said


def test_a_build_that_fails_leaves_nothing_and_says_why(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    (tmp_path / "go.mod").write_text(
        "module nodeslots.io/none\n\ngo 1.21\n\nrequire example.org/a v1.0.0\n"
    )
    (tmp_path / "go.sum").touch()
    (tmp_path / "main.go").write_text("package main\n\nfunc main() { none() }\n")
    programs = GoPrograms("none", tmp_path, {"none": "nodeslots.io/none"}, {"a": "example.org/a"})
    with pytest.raises(build.BuildError, match=r"`go build` failed: (?s:.*)none"):
        build.build(programs)
    assert [path.name for path in (tmp_path / "cache" / "node-slots" / "bin").iterdir()] == [
        ".lock"
    ]


@pytest.fixture
def flaky_go(tmp_path: Path) -> Path:
    """It fails as often as there are files `fail-N` beside it, and then names a module."""
    program = tmp_path / "go"
    program.write_text(
        "#!/bin/sh\n"
        'for one in fail-*; do [ -e "$one" ] && rm "$one" && echo "no route" >&2 && exit 1; done\n'
        "echo example.org/a\n"
    )
    program.chmod(0o755)
    return program


def test_a_download_that_fails_once_is_asked_for_again(flaky_go: Path) -> None:
    (flaky_go.parent / "fail-1").touch()
    assert build.fetch(flaky_go, flaky_go.parent, ["list"]) == ["example.org/a\n"]


def test_a_download_that_never_comes_is_told(flaky_go: Path) -> None:
    for number in range(9):
        (flaky_go.parent / f"fail-{number}").touch()
    with pytest.raises(build.BuildError, match="`go list` failed: no route"):
        build.fetch(flaky_go, flaky_go.parent, ["list"])


def test_of_two_that_want_the_same_packages_one_fetches_and_the_other_waits(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    waits, fetched = threading.Event(), []

    def say(line: str) -> None:
        waits.set()

    def fetch(packages: Sequence[str], folder: Path, *, complete: bool) -> None:
        fetched.append(packages)
        assert waits.wait(DEADLINE), "the other one waits"
        folder.mkdir()

    monkeypatch.setattr(realserver_programs, "say", say)
    monkeypatch.setattr(debian, "_fetch", fetch)
    with ThreadPoolExecutor() as both:
        first, second = (both.submit(debian.unpacked, ["one"]) for _ in range(2))
        assert first.result() == second.result()
    assert fetched == [["one"]]
