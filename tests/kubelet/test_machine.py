"""What the tier says where it cannot run, and the files that it makes; needs no node."""

from __future__ import annotations

import ast
import hashlib
import json
import os
import sys
import tarfile
import tempfile
from pathlib import Path

import pytest

from tests.kubelet import build, init, machine, oci, programs
from tests.realserver.report import is_loud


def test_each_condition_that_is_missing_is_told_by_its_name(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(os, "geteuid", lambda: 0)
    monkeypatch.setattr(machine, "_effective_rights", lambda: 0)
    assert "CAP_SYS_ADMIN" in str(machine.hindrance())
    monkeypatch.setattr(machine, "_effective_rights", lambda: -1)
    monkeypatch.setattr(machine, "hierarchies", list)
    assert "cgroup" in str(machine.hindrance())
    monkeypatch.setattr(machine, "hierarchies", lambda: [tmp_path])
    monkeypatch.setenv("PATH", str(tmp_path))
    assert "apt-get and dpkg-deb" in str(machine.hindrance())
    monkeypatch.setattr(os, "geteuid", lambda: 1000)
    assert "uid 1000" in str(machine.hindrance())
    assert not list(tmp_path.iterdir())


def test_a_tier_that_sweeps_meanwhile_is_no_hindrance(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def swept(prefix: str, dir: Path) -> str:  # noqa: A002 - tempfile's own name
        return str(dir / prefix)

    monkeypatch.setattr(machine, "hierarchies", lambda: [tmp_path])
    monkeypatch.setattr(tempfile, "mkdtemp", swept)
    assert machine._no_cgroups() is None


@pytest.mark.parametrize(("required", "code"), [("", 0), ("0", 0), ("1", 1)])
def test_going_without_is_told_aloud_and_a_failure_only_where_required(
    required: str, code: int, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv(machine.REQUIRE_VARIABLE, required)
    monkeypatch.setattr(os, "geteuid", lambda: 1000)
    assert build.main() == code
    assert is_loud(capsys.readouterr().out)


def test_the_kubelet_is_of_the_api_servers_version() -> None:
    assert programs.KUBERNETES.folder.name.startswith("kubelet-v")
    assert "gitVersion" in "".join(programs.KUBERNETES.stamps)


def test_the_first_process_of_a_node_needs_the_standard_library_only() -> None:
    tree = ast.parse(Path(init.__file__).read_text())
    imported = [node for node in ast.walk(tree) if isinstance(node, ast.Import | ast.ImportFrom)]
    names = {name.name for node in imported for name in node.names if isinstance(node, ast.Import)}
    names |= {str(node.module) for node in imported if isinstance(node, ast.ImportFrom)}
    assert {name.partition(".")[0] for name in names} <= sys.stdlib_module_names


@pytest.fixture
def trees(tmp_path: Path) -> list[Path]:
    for name, text in (("lower", "below"), ("upper", "above")):
        (tmp_path / name / "etc").mkdir(parents=True)
        (tmp_path / name / "etc" / name).write_text(text)
    return [tmp_path / "lower", tmp_path / "upper"]


def read(archive: Path, name: str) -> bytes:
    with tarfile.open(archive) as packed:
        found = packed.extractfile(name)
        assert found is not None
        return found.read()


def test_an_image_has_a_layer_for_each_tree_and_all_digests_hold(
    trees: list[Path], tmp_path: Path
) -> None:
    archive = tmp_path / "image.tar"
    oci.pack("localhost/x:1", trees, archive, entry=["/run"], user="65532:65532")
    (head,) = json.loads(read(archive, "index.json"))["manifests"]
    assert head["annotations"] == {"io.containerd.image.name": "localhost/x:1"}
    manifest = json.loads(read(archive, f"blobs/sha256/{head['digest'][7:]}"))
    assert len(manifest["layers"]) == 2
    for part in (manifest["config"], *manifest["layers"]):
        blob = read(archive, f"blobs/sha256/{part['digest'][7:]}")
        assert (len(blob), hashlib.sha256(blob).hexdigest()) == (part["size"], part["digest"][7:])


def test_equal_trees_make_equal_images(trees: list[Path], tmp_path: Path) -> None:
    for name in ("one", "two"):
        oci.pack("localhost/x:1", trees, tmp_path / name)
        os.utime(trees[0] / "etc" / "lower", (1, 1))
    assert (tmp_path / "one").read_bytes() == (tmp_path / "two").read_bytes()
