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
INSTALL = ("install", "--print", "--client=apps", *(f"--with={name}" for name in EXTRAS))
GOVERN = ("velero", "install", "--print", "--injection=webhook")


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


def printed(path: Path, words: tuple[str, ...]) -> str:
    """What a command prints with this in front of everything else that can be imported."""
    done = subprocess.run(
        [sys.executable, "-P", "-c", PROGRAM, *words],
        cwd="/",
        env={"PYTHONPATH": str(path)},
        capture_output=True,
        text=True,
        check=True,
    )
    return done.stdout


def carried(wheel: Path) -> set[str]:
    """The names of all files in it."""
    with zipfile.ZipFile(wheel) as archive:
        return set(archive.namelist())


def test_the_wheel_carries_every_manifest(wheel: Path) -> None:
    names = carried(wheel)
    for place in (BASE, POOL, CLIENT, *EXTRAS.values()):
        folder = ROOT.joinpath("deploy", *place)
        packaged = "/".join(("coordinator/install/deploy", *place))
        files = {f"{packaged}/{path.name}" for path in folder.iterdir() if path.is_file()}
        assert files <= names


def test_the_wheel_carries_what_is_put_into_movers(wheel: Path) -> None:
    names = carried(wheel)
    folder = ROOT / "deploy" / "velero"
    assert {f"coordinator/injection/deploy/{path.name}" for path in folder.iterdir()} <= names


@pytest.mark.parametrize(
    ("words", "needed"),
    [
        (INSTALL, "coordinator/install/deploy/base/service.yaml"),
        (GOVERN, "coordinator/injection/deploy/sidecar.yaml"),
        (GOVERN, "coordinator/injection/deploy/webhook-rights.yaml"),
    ],
)
def test_unpacked_it_prints_the_same_as_the_checkout(
    words: tuple[str, ...], needed: str, wheel: Path, tmp_path: Path
) -> None:
    with zipfile.ZipFile(wheel) as archive:
        archive.extractall(tmp_path)
    assert printed(tmp_path, words) == printed(ROOT, words)
    (tmp_path / needed).unlink()
    with pytest.raises(subprocess.CalledProcessError):
        printed(tmp_path, words)


@pytest.mark.parametrize("words", [INSTALL, GOVERN])
def test_from_inside_the_archive_it_prints_the_same(words: tuple[str, ...], wheel: Path) -> None:
    assert printed(wheel, words) == printed(ROOT, words)
