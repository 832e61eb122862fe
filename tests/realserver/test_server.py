"""The real server itself: what the tests on it lean on."""

from __future__ import annotations

import json
import os
import ssl
import urllib.request
from typing import TYPE_CHECKING, Any

import pytest

from tests.realserver import binaries, build, toolchain
from tests.realserver.report import REAL_SERVER, REQUIRE_VARIABLE, loud

if TYPE_CHECKING:
    from pathlib import Path

    from tests.realserver.server import RealApiServer

NAMESPACES = "/api/v1/namespaces"


def _ask(server: RealApiServer, path: str, body: Any = None) -> Any:
    request = urllib.request.Request(
        server.url + path,
        None if body is None else json.dumps(body).encode(),
        {"Authorization": f"Bearer {server.token}", "Content-Type": "application/json"},
    )
    trusted = ssl.create_default_context(cafile=server.ca_file)
    with urllib.request.urlopen(request, context=trusted, timeout=30) as answer:
        return json.load(answer)


@pytest.mark.real
@pytest.mark.skipif(binaries.ASSETS_VARIABLE in os.environ, reason="binaries of the user's choice")
def test_the_server_is_of_the_version_that_go_mod_names(real_server: RealApiServer) -> None:
    assert _ask(real_server, "/version")["gitVersion"] == binaries.kubernetes_version()


@pytest.mark.real
def test_after_a_power_cut_it_continues_on_its_port_with_its_data(
    real_server: RealApiServer,
) -> None:
    before = real_server.url
    made = _ask(real_server, NAMESPACES, {"metadata": {"generateName": "restart-"}})["metadata"]
    real_server.stop()
    real_server.start()
    assert real_server.url == before
    assert _ask(real_server, f"{NAMESPACES}/{made['name']}")["metadata"]["uid"] == made["uid"]


def _no_toolchain() -> Path:
    raise toolchain.NoGoError("no Go toolchain")


@pytest.mark.parametrize(("required", "code"), [("", 0), ("0", 0), ("1", 1)])
def test_binaries_that_cannot_be_had_are_told_and_fail_only_where_required(
    required: str,
    code: int,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.delenv(binaries.ASSETS_VARIABLE, raising=False)
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    monkeypatch.setenv(REQUIRE_VARIABLE, required)
    monkeypatch.setattr(toolchain, "find_go", _no_toolchain)
    assert build.main() == code
    assert f"{loud(REAL_SERVER)}: no Go toolchain" in capsys.readouterr().out


def test_assets_without_the_programs_are_a_failure(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "etcd").touch(mode=0o755)
    monkeypatch.setenv(binaries.ASSETS_VARIABLE, str(tmp_path))
    with pytest.raises(binaries.AssetsIncompleteError, match=r"kube-apiserver$"):
        binaries.find()
    assert build.main() == 1


def test_assets_come_before_the_cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("etcd", "kube-apiserver"):
        (tmp_path / name).touch(mode=0o755)
    monkeypatch.setenv(binaries.ASSETS_VARIABLE, str(tmp_path))
    assert binaries.find() == binaries.Binaries(tmp_path)
