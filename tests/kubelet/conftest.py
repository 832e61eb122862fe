"""The tier on real kubelets: `make e2e-kubelet`, or `pytest -m kubelet`."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.e2e.waiting import until
from tests.kubelet import tier
from tests.kubelet.build import TITLE, hindrance
from tests.kubelet.site import Site

if TYPE_CHECKING:
    from collections.abc import Generator, Iterator

    from tests.kubelet.loads import Place

MARKER = "kubelet"


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    tier.choose(MARKER, 600, config, items)


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(
    item: pytest.Item,
) -> Generator[None, pytest.TestReport, pytest.TestReport]:
    return tier.explain(item, (yield))


@pytest.fixture(scope="session")
def able() -> None:
    """This machine can run a node."""
    tier.need(TITLE, hindrance())


@pytest.fixture(scope="session")
def whole_site(able: None) -> Iterator[Site]:
    """The two nodes with the coordinator, for all tests of the session."""
    with tier.standing(Site) as site:
        yield site


@pytest.fixture
def site(whole_site: Site) -> Iterator[Site]:
    """As it is between two tests: nobody holds a slot, both replicas are ready."""
    yield whole_site
    whole_site.clear()
    until(lambda: not whole_site.holders(), f"every slot is free: {whole_site.holders()}")


@pytest.fixture
def place(site: Site) -> Place:
    """The journal of this test's loads."""
    return site.place()
