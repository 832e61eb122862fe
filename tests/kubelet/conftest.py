"""The tier on real kubelets: `make e2e-kubelet`, or `pytest -m kubelet`."""

from __future__ import annotations

import tempfile
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from tests.e2e.waiting import until
from tests.kubelet import machine
from tests.kubelet.build import TITLE, hindrance
from tests.kubelet.site import Site
from tests.realserver import binaries, report

if TYPE_CHECKING:
    from collections.abc import Generator, Iterator

    from tests.kubelet.loads import Place

MARKER = "kubelet"


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """They take minutes and all of the machine: only who names them by their mark runs them."""
    theirs = [item for item in items if item.get_closest_marker(MARKER)]
    for item in theirs:
        item.add_marker(pytest.mark.timeout(300))
        item.add_marker(pytest.mark.xdist_group(MARKER))
    if MARKER not in config.getoption("markexpr"):
        config.hook.pytest_deselected(items=theirs)
        items[:] = [item for item in items if item not in theirs]


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(
    item: pytest.Item,
) -> Generator[None, pytest.TestReport, pytest.TestReport]:
    """A case that failed shows what the coordinators said and what the Pods are."""
    told = yield
    site = getattr(item, "funcargs", {}).get("site")
    if told.failed and isinstance(site, Site):
        told.sections.append(("the cluster", site.words()))
    return told


@pytest.fixture(scope="session")
def able() -> None:
    """This machine can run a node; else the case is skipped aloud, or fails."""
    if why := hindrance():
        told = report.without(TITLE, why)
        if machine.is_required():
            pytest.fail(told)
        pytest.skip(told)


@pytest.fixture(scope="session")
def whole_site(able: None) -> Iterator[Site]:
    """The two nodes with the coordinator, for all tests of the session."""
    found = binaries.find()
    assert found is not None
    with machine.alone():
        folder = Path(tempfile.mkdtemp(prefix=machine.MARK))
        with Site(found, folder) as site:
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
