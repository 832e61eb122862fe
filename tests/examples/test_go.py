"""The Go example: in the form that Go's own tools want, and its own tests pass."""

from __future__ import annotations

import subprocess
from pathlib import Path

import pytest

from tests.examples import workers

pytestmark = [pytest.mark.slow, pytest.mark.xdist_group("go"), pytest.mark.timeout(600)]
"""Go compiles its own library first where its cache is cold."""


def test_the_package_has_no_dependencies() -> None:
    assert workers.go("list", "-m", "all").split() == ["example.org/slots"]


def test_the_sources_are_formatted() -> None:
    gofmt = Path(workers.go("env", "GOROOT").strip()) / "bin" / "gofmt"
    assert subprocess.check_output([str(gofmt), "-l", "."], cwd=workers.GO_EXAMPLE) == b""


def test_go_vet_finds_nothing() -> None:
    workers.go("vet", "./...")


def test_the_clients_own_tests_pass() -> None:
    assert "ok" in workers.go("test", "-count=1", ".")
