"""DataUploads and DataDownloads of one test, whose movers run until they are told to end."""

from __future__ import annotations

import json
import time
from typing import TYPE_CHECKING, Any

from coordinator.core.movers import Kind
from tests.e2e.waiting import until
from tests.velero import exposed
from tests.velero.movers import Movers
from tests.velero.network import NODE
from tests.velero.velero import NAMESPACE, NODE_AGENT

if TYPE_CHECKING:
    from collections.abc import Iterable
    from pathlib import Path

    from tests.velero.runtime import Run
    from tests.velero.site import Site

_KINDS = "datauploads,datadownloads"


class DataMovers(Movers):
    """All that `upload` and `download` made, in this order."""

    def __init__(self, site: Site, folder: Path) -> None:
        super().__init__(site, _KINDS, folder.name)
        self._folder = folder
        self._made: list[str] = []
        self._begun = time.time()
        agent = site.kubectl.get(NODE_AGENT)
        self._agent = agent["spec"]["template"]["spec"]

    def upload(self, *names: str) -> None:
        """Makes a DataUpload of each name, and its Pod."""
        self._make(Kind.DATA_UPLOAD, names)

    def download(self, *names: str) -> None:
        """The same with DataDownloads."""
        self._make(Kind.DATA_DOWNLOAD, names)

    def names(self) -> list[str]:
        return list(self._made)

    def _all_runs(self) -> list[Run]:
        """Other tests had movers of the same names."""
        return [run for run in super()._all_runs() if run.created > self._begun]

    def phases(self) -> list[str]:
        """Of the custom resources: Accepted, and Prepared once the node-agent saw the Pod run."""
        found = self._site.kubectl.get(_KINDS)["items"]
        return sorted(one["status"]["phase"] for one in found)

    def end(self, *names: str) -> None:
        """Tells these movers to end in peace."""
        for name in names:
            (self._folder / name / exposed.END).touch()

    def wait_order(self, names: Iterable[str]) -> None:
        """Until these have started, in this order, and no others."""
        wanted = list(names)
        until(lambda: len(self.runs()) >= len(wanted), f"{wanted} have started")
        assert [run.pod for run in self.runs()] == wanted

    def wait_queue(self, names: Iterable[str]) -> list[Any]:
        """Until the coordinator's queue has these and no others; its entries."""
        wanted = sorted(names)
        return until(lambda: self._queue_of(wanted), f"{wanted} wait")

    def remove(self) -> None:
        """Takes all away, so that nobody's slot has to wait for a TTL: first those that wait."""
        running = self.running()
        if waiting := sorted(self.pods().keys() - running):
            self._site.kubectl("delete", "pods", *waiting, "--ignore-not-found", "--wait=false")
        self.end(*running)
        until(lambda: not self._site.holders(), "they have ended", between=0.2)
        self._site.kubectl("delete", _KINDS, "--all", "--wait=false")
        until(lambda: not self.pods(), "their Pods are gone", between=0.2)

    def _queue_of(self, wanted: list[str]) -> list[Any]:
        """The whole queue where it is of these; else nothing."""
        found: list[Any] = self._node()["queue"]
        return found if sorted(one["load"] for one in found) == wanted else []

    def holders(self) -> list[Any]:
        """What the coordinator says of those who have a slot."""
        slots = self._node()["slots"]
        return [slot["holder"] for slot in slots if slot.get("holder")]

    def _node(self) -> Any:
        return self._site.ask(f"/v1/namespaces/{NAMESPACE}/nodes/{NODE}")

    def _make(self, kind: Kind, names: Iterable[str]) -> None:
        for name in names:
            folder = self._folder / name
            folder.mkdir()
            resource = exposed.resource(kind, name, self._folder.name)
            self._create(exposed.pod(self._create(resource), self._agent, folder))
            self._made.append(name)

    def _create(self, one: Any) -> Any:
        text = json.dumps(one)
        words = ("create", "--validate=strict", "--output=json", "-f", "-")
        return json.loads(self._site.kubectl(*words, text=text))
