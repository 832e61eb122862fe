"""`install` from the built wheel: the manifests are in it, and no checkout is asked."""

from __future__ import annotations

import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

from coordinator.install.files import BASE, CLIENT, EXTRAS, POOL

ROOT = Path(__file__).parents[2]
PROGRAM = "import sys; from coordinator.cli import main; sys.exit(main(sys.argv[1:]))"
BUILD = "import sys; from hatchling.build import build_wheel; print(build_wheel(sys.argv[1]))"
WORDS = ["install", "--print", "--client=apps", *(f"--with={name}" for name in EXTRAS)]


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("wheel")
    done = subprocess.run(
        [sys.executable, "-c", BUILD, str(folder)],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=True,
    )
    return folder / done.stdout.split()[-1]


def printed(*path: Path) -> str:
    """What `install` prints with this in front of everything else that can be imported."""
    found = ":".join(str(one) for one in path)
    done = subprocess.run(
        [sys.executable, "-P", "-c", PROGRAM, *WORDS],
        cwd="/",
        env={"PYTHONPATH": found},
        capture_output=True,
        text=True,
        check=True,
    )
    return done.stdout


def test_the_wheel_carries_every_manifest(wheel: Path) -> None:
    names = set(zipfile.ZipFile(wheel).namelist())
    for place in (BASE, POOL, CLIENT, *EXTRAS.values()):
        folder = ROOT.joinpath("deploy", *place)
        packaged = "/".join(("coordinator/install/deploy", *place))
        files = {f"{packaged}/{path.name}" for path in folder.iterdir() if path.is_file()}
        assert files <= names


def test_unpacked_it_prints_the_same_as_the_checkout(wheel: Path, tmp_path: Path) -> None:
    zipfile.ZipFile(wheel).extractall(tmp_path)
    assert printed(tmp_path) == printed(ROOT)
    (tmp_path / "coordinator/install/deploy/base/service.yaml").unlink()
    with pytest.raises(subprocess.CalledProcessError):
        printed(tmp_path)


def test_from_inside_the_archive_it_prints_the_same(wheel: Path) -> None:
    assert printed(wheel) == printed(ROOT)
