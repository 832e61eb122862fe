"""The tools are those that the modules here pin, and going without them is told."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import pytest

from tests.browser import chromium
from tests.monitoring import prometheus
from tests.realserver import build, toolchain
from tests.realserver.programs import GoPrograms
from tests.realserver.report import REQUIRE_VARIABLE, loud
from tests.tools import definitions
from tests.tools.build import main
from tests.tools.programs import ALL, HELM
from tests.tools.using import tool

if TYPE_CHECKING:
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
    for fetched in (chromium, prometheus):  # Debian's packages need no toolchain
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
