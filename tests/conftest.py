"""What tests of every layer share: the real API server, one for the whole session."""

from __future__ import annotations

import signal
from typing import TYPE_CHECKING

import pytest
from hypothesis import HealthCheck, settings

from tests.realserver import binaries, report
from tests.realserver.server import RealApiServer
from tests.service.jumps import Jumps

if TYPE_CHECKING:
    from collections.abc import Generator, Iterator

# By default an example has 200 ms, and making one a second: a busy machine is no fault of a test's.
settings.register_profile("unhurried", deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile("unhurried")


def pytest_configure() -> None:
    """Signals are as in a foreground job: `pytest &` and nohup let children ignore some of them."""
    if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
        signal.signal(signal.SIGINT, signal.default_int_handler)
    for number in (signal.SIGQUIT, signal.SIGHUP):
        if signal.getsignal(number) is signal.SIG_IGN:
            signal.signal(number, signal.SIG_DFL)


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Under `--dist loadgroup` the tests on the real server are two groups, each with a server.

    One group would leave the other core idle for half of the time; a file stays whole. Tests in the
    browser share one, with its sites.
    """
    real = [item for item in items if item.get_closest_marker("real")]
    files = sorted({item.path for item in real})
    for item in real:
        item.add_marker(pytest.mark.xdist_group(f"real-{files.index(item.path) % 2}"))
    for item in items:
        if item.get_closest_marker("browser") and item not in real:
            item.add_marker(pytest.mark.xdist_group("browser"))


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(
    item: pytest.Item, call: pytest.CallInfo[None]
) -> Generator[None, pytest.TestReport, pytest.TestReport]:
    """Gives all skips for want of one program one place: `-ra` tells them in one line."""
    told = yield
    if told.skipped and isinstance(told.longrepr, tuple) and report.is_loud(told.longrepr[2]):
        told.longrepr = (__file__, 0, told.longrepr[2])
    return told


@pytest.fixture
async def jumps(monkeypatch: pytest.MonkeyPatch) -> Jumps:
    """Time stands still: no deadline passes before the test has done what it has to do in time."""
    return Jumps(monkeypatch)


@pytest.fixture(scope="session")
def real_server() -> Iterator[RealApiServer]:
    """A kube-apiserver with its etcd, shared: work in a namespace of your own."""
    found = binaries.find()
    if found is None:
        why = report.without_real_server("not built (make real-apiserver)")
        if report.is_required():
            pytest.fail(why)
        pytest.skip(why)
    with RealApiServer(found) as server:
        yield server
