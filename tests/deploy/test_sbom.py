"""`make sbom`: a CycloneDX file that names every package of the image."""

from __future__ import annotations

import json
import re
import shutil
import subprocess
from typing import TYPE_CHECKING, Any

import pytest
from cyclonedx.schema import SchemaVersion
from cyclonedx.validation.json import JsonStrictValidator

from tests.deploy.dockerfile import REPOSITORY

if TYPE_CHECKING:
    from pathlib import Path

pytestmark = pytest.mark.slow
_PIN = re.compile(r"^([a-z0-9-]+)==(\S+)", re.MULTILINE)


@pytest.fixture(scope="module")
def text(tmp_path_factory: pytest.TempPathFactory) -> str:
    """What the target writes; the virtual environment is taken as it is."""
    return made(tmp_path_factory.mktemp("sbom"))


def made(folder: Path) -> str:
    file = folder / "sbom.json"
    if shutil.which("make") is None:
        pytest.skip("no make here")
    command = ["make", "--silent", "--old-file=.venv/.installed", "sbom", f"SBOM={file}"]
    done = subprocess.run(command, cwd=REPOSITORY, check=False, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    return file.read_text()


def test_it_keeps_to_the_schema(text: str) -> None:
    version = SchemaVersion.from_version(json.loads(text)["specVersion"])
    assert JsonStrictValidator(version).validate_str(text) is None


def test_it_names_the_project_and_each_package_that_the_image_has(text: str) -> None:
    bill: dict[str, Any] = json.loads(text)
    assert bill["metadata"]["component"]["name"] == "node-slots"
    parts = {part["name"]: part["version"] for part in bill["components"]}
    assert parts == dict(_PIN.findall((REPOSITORY / "requirements" / "image.txt").read_text()))
    assert all(part["purl"].startswith("pkg:pypi/") for part in bill["components"])


def test_made_again_it_is_the_same(text: str, tmp_path: Path) -> None:
    assert made(tmp_path) == text
