"""Certificates that somebody else keeps in a folder, as a mounted Secret or as plain files."""

from __future__ import annotations

import asyncio
from random import Random
from typing import TYPE_CHECKING

import pytest
import structlog

from coordinator.tls.certificates import Certificates, Trouble
from coordinator.tls.contexts import Material
from coordinator.tls.folder import FolderSource
from coordinator.tls.names import names_of
from coordinator.tls.reports import Reports
from tests.tls.scene import DEADLINE, SERVER, Counted, Steps
from tests.tls.test_making import material, shake_hands, strict

if TYPE_CHECKING:
    from pathlib import Path

NAMES = names_of("node-slots", "velero")


class Mount:
    """A folder that changes as the kubelet changes it: by one link."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self._turn = 0

    def show(self, made: Material) -> None:
        self._turn += 1
        turn = self.folder / f"..turn_{self._turn}"
        turn.mkdir()
        lay_out(turn, made)
        fresh = self.folder / "..data_tmp"
        fresh.symlink_to(turn.name)
        fresh.rename(self.folder / "..data")
        for name in ("tls.crt", "tls.key", "ca.crt"):
            if not (self.folder / name).is_symlink():
                (self.folder / name).symlink_to(f"..data/{name}")


def lay_out(folder: Path, made: Material) -> None:
    (folder / "tls.crt").write_bytes(made.chain)
    (folder / "tls.key").write_bytes(made.key)
    if made.bundle is not None:
        (folder / "ca.crt").write_bytes(made.bundle)


def watched(folder: Path, steps: Steps) -> tuple[Certificates, Counted]:
    counted = Counted()
    reports = Reports(counted)
    source = FolderSource(folder, SERVER, reports)
    return Certificates(source, SERVER, reports, rng=Random(7), sleep=steps.sleep), counted


async def test_a_mounted_secret_is_served_and_its_change_taken_up(tmp_path: Path) -> None:
    mount, steps = Mount(tmp_path), Steps()
    first, second = material(NAMES), material(NAMES)
    mount.show(first)
    certificates, counted = watched(tmp_path, steps)
    async with asyncio.timeout(DEADLINE), certificates:
        await certificates.ready()
        before = certificates.server
        await steps.again()
        assert certificates.server is before
        mount.show(second)
        await steps.again()
        assert shake_hands(certificates.server, strict(second.bundle), SERVER).version()
        assert shake_hands(before, strict(first.bundle), SERVER).version()
    assert len(counted.expires) == 2
    assert set(steps.slept) == {10.0}


async def test_a_change_that_is_half_done_is_not_served(tmp_path: Path) -> None:
    first, second, steps = material(NAMES), material(NAMES), Steps()
    lay_out(tmp_path, first)
    certificates, _ = watched(tmp_path, steps)
    async with asyncio.timeout(DEADLINE), certificates:
        await certificates.ready()
        before = certificates.server
        for name, text in (
            ("tls.crt", second.chain),
            ("tls.key", second.key[:40]),
            ("tls.key", b""),
        ):
            (tmp_path / name).write_bytes(text)
            await steps.again()
            assert (certificates.server, certificates.trouble) == (before, "")
        (tmp_path / "tls.key").write_bytes(second.key)
        (tmp_path / "ca.crt").write_bytes(second.bundle or b"")
        await steps.again()
        assert shake_hands(certificates.server, strict(second.bundle), SERVER).version()
        assert shake_hands(certificates.server, certificates.client, SERVER).version()


async def test_files_that_vanish_end_no_serving(tmp_path: Path) -> None:
    steps = Steps()
    lay_out(tmp_path, material(NAMES))
    certificates, _ = watched(tmp_path, steps)
    async with asyncio.timeout(DEADLINE), certificates:
        await certificates.ready()
        before = certificates.server
        (tmp_path / "tls.crt").unlink()
        await steps.again()
        assert (certificates.server, certificates.trouble) == (before, "")


@pytest.mark.parametrize("missing", ["tls.crt", "tls.key"])
async def test_what_is_missing_is_named_and_waited_for(tmp_path: Path, missing: str) -> None:
    made, steps = material(NAMES), Steps()
    lay_out(tmp_path, made)
    (tmp_path / missing).unlink()
    certificates, _ = watched(tmp_path, steps)
    async with asyncio.timeout(DEADLINE), certificates:
        await steps.begun()
        assert f"{tmp_path / missing} cannot be read (No such file" in certificates.trouble
        lay_out(tmp_path, made)
        await steps.again()
        await certificates.ready()


async def test_without_ca_crt_other_replicas_are_believed_as_the_system_says(
    tmp_path: Path,
) -> None:
    made = material(NAMES)
    lay_out(tmp_path, Material(made.chain, made.key, None))
    found = await FolderSource(tmp_path, SERVER, Reports(Counted())).read()
    assert (found.chain, found.bundle) == (made.chain, None)


async def test_a_certificate_that_is_none_is_named(tmp_path: Path) -> None:
    lay_out(tmp_path, Material(b"garbage", b"key", None))
    with pytest.raises(Trouble, match=r"tls\.crt is no certificate"):
        await FolderSource(tmp_path, SERVER, Reports(Counted())).read()


async def test_a_certificate_without_the_replicas_name_is_told_once(tmp_path: Path) -> None:
    lay_out(tmp_path, material(["slots.example"]))
    with structlog.testing.capture_logs() as logs:
        source = FolderSource(tmp_path, SERVER, Reports(Counted()))
        for _ in range(3):
            await source.read()
    assert [line["wanted"] for line in logs] == [SERVER]
