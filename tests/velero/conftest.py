"""The tier with a real Velero: `make e2e-velero`, or `pytest -m velero`."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.kubelet import tier
from tests.velero.build import TITLE, hindrance
from tests.velero.site import Site

if TYPE_CHECKING:
    from collections.abc import Generator, Iterator

MARKER = "velero"


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    tier.choose(MARKER, 600, config, items)


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(
    item: pytest.Item,
) -> Generator[None, pytest.TestReport, pytest.TestReport]:
    return tier.explain(item, (yield))


@pytest.fixture(scope="session")
def able() -> None:
    """This machine can run it."""
    tier.need(TITLE, hindrance())


@pytest.fixture(scope="session")
def whole_site(able: None) -> Iterator[Site]:
    """The node with coordinator and Velero, for all tests of the session."""
    with tier.standing(Site) as site:
        yield site


@pytest.fixture
def site(whole_site: Site) -> Iterator[Site]:
    """As it is between two tests: no workloads, no movers, nobody holds a slot."""
    yield whole_site
    whole_site.clear()
