"""deploy/Dockerfile, followed step by step where no image can be built: what it would install."""

from __future__ import annotations

import hashlib
import os
import subprocess
import sys
from typing import TYPE_CHECKING

import pytest
import yaml

from tests.deploy import dockerfile
from tests.deploy.dockerfile import DOCKERFILE, REPOSITORY, follow, instructions, stages

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

LIBRARY = "usr/local/lib/python3.11/dist-packages"
BASE_BYTES = 54_000_000
"""The files of the base: its Debian packages, unpacked (tests/kubelet/packages.py, USERLAND)."""
MOST_BYTES = 150_000_000

needs_its_python = pytest.mark.skipif(
    sys.version_info[:2] != (3, 11),
    reason="the image's Python is 3.11; this one takes other wheels",
)
followed = [needs_its_python, pytest.mark.slow, pytest.mark.xdist_group("image")]
followed += [pytest.mark.timeout(900)]  # two are made, each in seconds: minutes under load


@pytest.fixture(scope="module")
def tree(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """What the image holds beside its base."""
    return made(tmp_path_factory.mktemp("image"))


def made(folder: Path) -> Path:
    for name in ("tree", "work"):
        (folder / name).mkdir()
    follow(folder / "tree", folder / "work")
    return folder / "tree"


def files(tree: Path) -> Iterator[Path]:
    return (path for path in sorted(tree.rglob("*")) if path.is_file())


def digests(tree: Path) -> dict[str, tuple[int, str]]:
    """Mode and content of every file."""
    return {
        str(path.relative_to(tree)): (
            path.stat().st_mode,
            hashlib.sha256(path.read_bytes()).hexdigest(),
        )
        for path in files(tree)
    }


def run(tree: Path, *words: str) -> str:
    """What a console of the tree prints; of this interpreter it has the standard library only."""
    program, *arguments = words
    environment = {"PATH": os.environ["PATH"], "HOME": "/nowhere"}
    command = [sys.executable, "-S", str(tree / "usr/local/bin" / program), *arguments]
    environment["PYTHONPATH"] = str(tree / LIBRARY)
    done = subprocess.run(command, env=environment, check=False, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    return done.stdout


class TestItsText:
    def test_the_image_itself_runs_nothing_and_takes_only_the_tree(self) -> None:
        build, image = stages(DOCKERFILE.read_text())
        assert "RUN" not in dict(image)
        assert [rest for word, rest in image if word == "COPY"] == ["--from=build /tree/ /"]
        assert ("ARG", "TREE=/tree") in build

    def test_its_user_is_a_number_and_not_root(self) -> None:
        _, image = stages(DOCKERFILE.read_text())
        user, _, group = dict(image)["USER"].partition(":")
        assert int(user) > 0
        assert int(group) > 0

    def test_packages_come_by_hash_only(self) -> None:
        installs = [line for word, line in instructions(DOCKERFILE.read_text()) if word == "RUN"]
        installs = [line for line in installs if "pip install" in line]
        assert len(installs) == 3
        assert all("--require-hashes" in line or "--no-deps" in line for line in installs)

    def test_what_is_copied_is_what_the_context_lets_in(self) -> None:
        text = DOCKERFILE.with_name("Dockerfile.dockerignore").read_text()
        allowed = {line[1:] for line in text.splitlines() if line.startswith("!")}
        build, _ = stages(DOCKERFILE.read_text())
        copied = {name for word, rest in build if word == "COPY" for name in rest.split()[:-1]}
        assert copied == allowed
        assert all((REPOSITORY / name).exists() for name in copied)

    def test_an_instruction_that_cannot_be_followed_is_refused(self, tmp_path: Path) -> None:
        with pytest.raises(dockerfile.StepError, match="ADD"):
            follow(tmp_path, tmp_path, "FROM x\nADD a b\n")


class TestItsLocks:
    def pins(self, name: str) -> dict[str, str]:
        lines = (REPOSITORY / "requirements" / name).read_text().splitlines()
        pinned = [line.split(" ")[0].split("==") for line in lines if "==" in line.split(" ")[0]]
        return dict(pinned)

    @pytest.mark.parametrize("lock", ["image.txt", "build.txt"])
    def test_what_is_shipped_is_what_is_tested(self, lock: str) -> None:
        tested = self.pins("dev.txt")
        assert self.pins(lock)
        assert {name: tested.get(name) for name in self.pins(lock)} == self.pins(lock)

    @pytest.mark.slow
    @pytest.mark.parametrize("machine", ["x86_64", "aarch64"])
    def test_every_package_has_a_wheel_for_both_machines(
        self, machine: str, tmp_path: Path
    ) -> None:
        command = [sys.executable, "-m", "pip", "install", "--quiet", "--dry-run", "--no-deps"]
        command += ["--ignore-installed", "--require-hashes", "--only-binary", ":all:"]
        command += ["--platform", f"manylinux2014_{machine}", "--python-version", "3.11"]
        command += ["--platform", f"manylinux_2_28_{machine}", "--target", str(tmp_path)]
        command += ["--requirement", str(REPOSITORY / "requirements" / "image.txt")]
        done = subprocess.run(command, check=False, capture_output=True, text=True)
        assert done.returncode == 0, done.stderr


class TestWhatItMakes:
    pytestmark = followed

    def test_both_consoles_run_from_it_alone_and_write_nothing(self, tree: Path) -> None:
        before = digests(tree)
        assert run(tree, "slot-agent", "--version").startswith("slot-agent ")
        assert "--state-dir" in run(tree, "slot-agent", "hold", "--help")
        printed = yaml.safe_load_all(run(tree, "slot-coordinator", "install", "--print"))
        assert "Deployment" in {one["kind"] for one in printed if one}
        assert digests(tree) == before

    def test_the_credentials_of_a_pod_are_read_without_the_generated_models(
        self, tree: Path
    ) -> None:
        line = "import coordinator.kube.loading"
        environment = {"PYTHONPATH": str(tree / LIBRARY), "PATH": os.environ["PATH"]}
        subprocess.run([sys.executable, "-S", "-c", line], env=environment, check=True)

    def test_it_is_small(self, tree: Path) -> None:
        size = sum(path.stat().st_size for path in files(tree))
        assert size + BASE_BYTES < MOST_BYTES, f"{size / 1e6:.0f} MB beside the base"

    def test_all_of_it_is_compiled(self, tree: Path) -> None:
        sources = [path for path in files(tree) if path.suffix == ".py"]
        compiled = {path.name for path in files(tree) if path.suffix == ".pyc"}
        assert len(sources) > 500
        assert {f"{path.stem}.cpython-311.pyc" for path in sources} <= compiled

    def test_any_user_can_read_it_and_no_path_of_the_build_is_in_it(self, tree: Path) -> None:
        assert all(path.stat().st_mode & 0o444 == 0o444 for path in files(tree))
        here = str(tree).encode()
        assert not [path for path in files(tree) if here in path.read_bytes()]
        for console in (tree / "usr/local/bin").iterdir():
            assert console.read_text().startswith("#!/usr/bin/python3.11 -I\n")

    def test_made_again_it_is_the_same_to_the_byte(self, tree: Path, tmp_path: Path) -> None:
        assert digests(made(tmp_path)) == digests(tree)
