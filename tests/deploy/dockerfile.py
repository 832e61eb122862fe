"""Follows deploy/Dockerfile where no image can be built: the first stage's steps, in plain folders.

A RUN line reads below the working folder and writes below it and ${TREE}; so it can run anywhere.
What the second stage copies is then what stands in ${TREE}.
"""

from __future__ import annotations

import hashlib
import os
import re
import shlex
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

REPOSITORY = Path(__file__).parents[2]
DOCKERFILE = REPOSITORY / "deploy" / "Dockerfile"
_LOCKS = "requirements/"
_WORDS = re.compile(r"\$\{(\w+)\}|\$(\w+)")


class StepError(Exception):
    """A RUN line failed; the text is the line and what it printed."""


def instructions(text: str) -> list[tuple[str, str]]:
    """Every instruction as its word and the rest, without comments, continuation lines joined."""
    lines = [line for line in text.splitlines() if line.strip() and not line.startswith("#")]
    whole = "\n".join(lines).replace("\\\n", " ").splitlines()
    return [(word, rest.strip()) for word, _, rest in (line.partition(" ") for line in whole)]


def stages(text: str) -> list[list[tuple[str, str]]]:
    """The instructions from each FROM on."""
    found: list[list[tuple[str, str]]] = []
    for word, rest in instructions(text):
        if word == "FROM":
            found.append([])
        if found:
            found[-1].append((word, rest))
    return found


def follow(tree: Path, work: Path, text: str | None = None, *, cache: Path | None = None) -> None:
    """Runs the first stage; its result is in `tree`. `work` becomes its working folder.

    With `cache`, what the locks alone decide is kept there, as a builder of images keeps layers.
    Raises StepError.
    """
    stage, steps = Stage(tree, work), stages(text or DOCKERFILE.read_text())[0]
    libraries = next((n for n, step in enumerate(steps) if _is_source(*step)), 0)
    if cache is None:
        stage.take(steps)
    else:
        _recall(stage, steps[:libraries], cache)
        stage.take(steps[libraries:])


def _is_source(word: str, rest: str) -> bool:
    return word == "COPY" and not rest.startswith(_LOCKS)


def _recall(stage: Stage, steps: list[tuple[str, str]], cache: Path) -> None:
    locks = [path.read_bytes() for path in sorted((REPOSITORY / _LOCKS).glob("*.txt"))]
    key = hashlib.sha256(repr((steps, locks, sys.version)).encode()).hexdigest()[:12]
    kept = cache / key
    if kept.exists():
        stage.take([step for step in steps if step[0] in ("ARG", "ENV")])
        stage.restore(kept)
        return
    stage.take(steps)
    cache.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=cache, prefix=".keeping-") as folder:
        stage.keep(Path(folder) / "kept")
        (Path(folder) / "kept").rename(kept)


class Stage:
    """The state between two steps: the variables, and the files of the working folder."""

    def __init__(self, tree: Path, work: Path) -> None:
        self._tree = tree
        self._work = work
        self._fixed = {"TREE": str(tree)}
        self._variables = dict(self._fixed)
        self._search = f"{Path(sys.executable).parent}:{os.environ['PATH']}"

    def take(self, steps: list[tuple[str, str]]) -> None:
        for word, rest in steps:
            self.step(word, rest)

    def keep(self, folder: Path) -> None:
        """Copies the files that the steps have made."""
        shutil.copytree(self._tree, folder / "tree", symlinks=True)
        shutil.copytree(self._work, folder / "work", symlinks=True)

    def restore(self, folder: Path) -> None:
        shutil.copytree(folder / "tree", self._tree, symlinks=True, dirs_exist_ok=True)
        shutil.copytree(folder / "work", self._work, symlinks=True, dirs_exist_ok=True)

    def step(self, word: str, rest: str) -> None:
        match word:
            case "ARG" | "ENV":
                self._set(rest)
            case "COPY":
                self._copy(*shlex.split(rest))
            case "RUN":
                self._run(rest)
            case "FROM" | "WORKDIR":
                pass  # the interpreter that runs this, and `work`
            case _:
                raise StepError(f"{word}: a test cannot follow this instruction")

    def _set(self, rest: str) -> None:
        for pair in shlex.split(rest):
            name, _, value = pair.partition("=")
            self._variables.setdefault(name, self._filled(value))
        self._variables |= self._fixed

    def _filled(self, value: str) -> str:
        return _WORDS.sub(lambda found: self._variables[found[1] or found[2]], value)

    def _copy(self, *words: str) -> None:
        *sources, target = words
        for source in sources:
            origin, place = REPOSITORY / source, self._work / target
            if origin.is_dir():
                shutil.copytree(origin, place, ignore=shutil.ignore_patterns("__pycache__"))
            else:
                place = place / origin.name
                place.parent.mkdir(parents=True, exist_ok=True)
                shutil.copyfile(origin, place)

    def _run(self, line: str) -> None:
        environment = os.environ | self._variables | {"PATH": self._search}
        done = subprocess.run(
            ["sh", "-ec", line],
            cwd=self._work,
            env=environment,
            check=False,
            capture_output=True,
            text=True,
        )
        if done.returncode != 0:
            raise StepError(f"RUN {line}\n{done.stdout}{done.stderr}")
