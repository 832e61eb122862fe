"""`pytest -p tests.simulation.planted.plugin --plant NAME`: the tests meet a planted bug."""

from __future__ import annotations

import pytest

from tests.simulation.planted.bugs import BUGS


def pytest_addoption(parser: pytest.Parser) -> None:
    """The one option."""
    parser.addoption("--plant", choices=sorted(BUGS), help="the bug to plant before any test")


def pytest_configure(config: pytest.Config) -> None:
    """Plant it before the tests are read."""
    if (name := config.getoption("--plant")) is not None:
        patch = pytest.MonkeyPatch()
        config.add_cleanup(patch.undo)
        BUGS[name].plant(patch)
