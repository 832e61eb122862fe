"""What a scenario runs on goes with it, whatever happens."""

from __future__ import annotations

import resource
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from tests.bench.rig import LoadFailed, Rig

if TYPE_CHECKING:
    from collections.abc import Iterator


@pytest.fixture
def files() -> Iterator[None]:
    """The rig takes all open files that it may have; other tests want to meet their own limit."""
    before = resource.getrlimit(resource.RLIMIT_NOFILE)
    yield
    resource.setrlimit(resource.RLIMIT_NOFILE, before)


def failing(pids: list[int], folders: list[Path]) -> None:
    """A scenario whose load cannot be started."""
    with Rig() as rig, rig.coordinator() as served:
        assert rig.server.process is not None
        assert rig.server.etcd is not None
        pids += [rig.server.process.pid, rig.server.etcd.pid, served.pid]
        folders.append(rig.folder)
        rig.load("nobody")


@pytest.mark.real
@pytest.mark.usefixtures("files", "real_server")
def test_a_load_that_fails_is_named_and_no_process_stays() -> None:
    pids: list[int] = []
    folders: list[Path] = []
    with pytest.raises(LoadFailed, match=r"nobody: .*No module"):
        failing(pids, folders)
    assert len(pids) == 3
    assert not any(Path(f"/proc/{pid}").exists() for pid in pids)
    assert not folders[0].exists()
