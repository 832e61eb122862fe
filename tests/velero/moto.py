"""moto as S3 server, in an environment of its own: its libraries would hold back the product's."""

from __future__ import annotations

import hashlib
import os
import subprocess
import sys
import venv
from pathlib import Path

from tests.realserver.programs import cache_root, one_at_a_time
from tests.realserver.report import say

PINNED = Path(__file__).parents[2] / "requirements" / "s3.txt"


class NoServerError(Exception):
    """pip does not bring it; the text says what it said."""


def program() -> Path:
    """The server's command, from the cache or installed now. Raises NoServerError."""
    made = _folder() / "bin" / "moto_server"
    if os.access(made, os.X_OK):
        return made
    with one_at_a_time("S3 server for the tests", cache_root() / ".s3.lock"):
        if not os.access(made, os.X_OK):
            say("== S3 server for the tests: installing moto (a quarter of a minute, once)")
            _install(_folder())
    return made


def _folder() -> Path:
    key = hashlib.sha256(PINNED.read_bytes() + sys.version.encode()).hexdigest()[:12]
    return cache_root() / f"s3-{key}"


def _install(folder: Path) -> None:
    """Made where it stays, because its commands name their place; marked by them at the end."""
    folder.parent.mkdir(parents=True, exist_ok=True)
    venv.create(folder, clear=True, with_pip=True)
    command = [str(folder / "bin" / "python"), "-m", "pip", "install", "--quiet"]
    command += ["--disable-pip-version-check", "--require-hashes", "--requirement", str(PINNED)]
    done = subprocess.run(command, check=False, capture_output=True, text=True)
    if done.returncode != 0:
        raise NoServerError(f"pip does not bring moto: {done.stderr.strip()[-300:]}")
