"""On the real API server: tokens and certificates are replaced under load, and nothing fails."""

from __future__ import annotations

import sys
import threading
from collections import Counter
from contextlib import contextmanager
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

import pytest

from coordinator.tls.making import make_authority, make_serving, pem
from coordinator.tls.names import names_of
from tests.chaos.crowd import AGENT
from tests.e2e.cluster import limits
from tests.e2e.processes import LOOPBACK
from tests.e2e.waiting import until
from tests.e2e.wire import NoAnswer

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from coordinator.tls.making import Pair
    from tests.e2e.cluster import Cluster
    from tests.e2e.processes import Program, Site

pytestmark = [pytest.mark.real, pytest.mark.slow]

MORE = 20
"""Loads and requests that have to go well after each step."""
BETWEEN = 0.3
"""Seconds between two tokens of an agent; a kubelet takes most of an hour."""


class Secret:
    """A Secret of certificates as the kubelet mounts it: all of it changes at once, by a link."""

    def __init__(self, site: Site, folder: Path) -> None:
        self.folder = folder
        self._names = names_of(site.installation.options.name, site.cluster.namespace, [LOOPBACK])
        self._version = 0

    def put(self, authority: Pair) -> None:
        """A new certificate, signed by this authority."""
        self._version += 1
        data = self.folder / f"..{self._version}"
        data.mkdir(parents=True)
        serving = make_serving(authority, self._names, datetime.now(UTC))
        (data / "tls.crt").write_bytes(pem(serving.certificate))
        (data / "tls.key").write_bytes(serving.key_pem)
        (data / "ca.crt").write_bytes(pem(authority.certificate))
        new = self.folder / "..new"
        new.symlink_to(data.name)
        new.replace(self.folder / "..data")


@contextmanager
def _again_and_again(work: object, between: float) -> Iterator[None]:
    """Runs `work` in a thread, over and over, until the block ends; what it raises comes then."""
    over, faults = threading.Event(), []

    def run() -> None:
        try:
            while not over.wait(between):
                work()  # type: ignore[operator]
        except Exception as error:  # noqa: BLE001 - it is raised below, where it is seen
            faults.append(error)

    thread = threading.Thread(target=run)
    thread.start()
    try:
        yield
    finally:
        over.set()
        thread.join()
    assert not faults, faults


class Load:
    """Library agents on two nodes, and a script that asks by plain HTTP on a connection each."""

    def __init__(self, site: Site, nodes: list[str]) -> None:
        self.site, self.nodes = site, nodes
        self.answers: Counter[str] = Counter()
        site.journal.end_all()
        self.mills: list[Program] = [
            site.run(
                f"mill-{number}",
                node,
                [
                    sys.executable,
                    str(AGENT),
                    str(site.folder),
                    f"mill-{number}",
                    "4",
                    "0.02",
                    "0.1",
                ],
            )
            for number, node in enumerate(nodes)
        ]

    def ask(self) -> None:
        try:
            told = str(self.site.ask(self.nodes[0], "script", waitSeconds=0).status)
        except NoAnswer as error:
            told = repr(error)
        self.answers[told] += 1

    def goes_on(self) -> None:
        """Returns when so many more loads have run and requests were answered."""
        ran, asked = len(self.site.journal.started), self.answers.total()
        until(lambda: len(self.site.journal.started) > ran + MORE, "loads run")
        until(lambda: self.answers.total() > asked + MORE, "requests are answered")

    def faults(self) -> list[str]:
        """Whatever failed, as those who asked saw it, and as the coordinator answered."""
        wrong = [told for told in self.answers if told not in {"200", "202"}]
        wrong += [mill.output for mill in self.mills if mill.output]
        wrong += [
            f"{line['path']}: {line['status']}"
            for line in self.site.coordinator.logged("request")
            if line["status"] >= 400 and line["path"].startswith("/v1/") and not _overtaken(line)
        ]
        return wrong


def _overtaken(line: dict[str, Any]) -> bool:
    """A sync that waited for the review of a new token while the agent's next one did not. The
    agent had taken it back already.
    """
    return bool(line["status"] == 409 and line["path"].endswith("/sync"))


def test_new_tokens_certificates_and_authorities_fail_no_request(
    site: Site, cluster: Cluster, tmp_path: Path
) -> None:
    nodes = [cluster.add_node(number) for number in (1, 2)]
    cluster.configure(limits(2))
    now = datetime.now(UTC)
    first, second = make_authority(now), make_authority(now)
    secret = Secret(site, tmp_path / "tls")
    secret.put(first)
    site.mount.give(pem(first.certificate).decode())
    site.start("--tls", "mounted", "--tls-dir", str(secret.folder))
    load = Load(site, nodes)

    def served() -> int:
        return len(site.coordinator.logged("certificate served"))

    with _again_and_again(load.ask, 0.02), _again_and_again(site.agents.rotate_all, BETWEEN):
        load.goes_on()
        secret.put(first)
        until(lambda: served() == 2, "the renewed certificate is served")
        load.goes_on()
        site.mount.give(pem(first.certificate, second.certificate).decode())
        load.goes_on()
        secret.put(second)
        until(lambda: served() == 3, "that of the other authority is served")
        load.goes_on()
        site.mount.give(pem(second.certificate).decode())
        load.goes_on()

    assert load.faults() == []
    assert site.journal.terminated == set()
