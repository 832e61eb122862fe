"""What a scenario runs on: a real API server of its own, coordinators and loads as processes."""

from __future__ import annotations

import asyncio
import json
import re
import resource
import shutil
import ssl
import subprocess
import sys
import tempfile
import time
import urllib.request
import uuid
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any, Self

import uvloop

from tests.bench.bulk import Bulk
from tests.bench.served import Served
from tests.realserver import binaries
from tests.realserver.process import Process
from tests.realserver.server import RealApiServer

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator
    from types import TracebackType

    from tests.bench.scenario import Figures

NAMESPACE = "bench"
BARE = "bare"
"""Where rivals keep their Leases: no coordinator watches them there."""
CONFIG_MAP = "limits"
_ROOT = Path(__file__).parents[2]
_WRITES = re.compile(r'^apiserver_request_total\{.*resource="leases".*\} (\S+)$', re.MULTILINE)
_WRITING = re.compile(r'verb="(POST|PUT|PATCH|DELETE)"')


class NotBuilt(Exception):
    """kube-apiserver is missing; `make bench` builds it."""


class LoadFailed(Exception):
    """A load generator ended with an error; the text is what it wrote last."""


class Rig:
    """Use it as a context manager: everything that it started ends with it."""

    def __init__(self) -> None:
        found = binaries.find()
        if found is None:
            raise NotBuilt("kube-apiserver is not built (make real-apiserver)")
        _, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
        resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))
        self.server = RealApiServer(found)
        self.folder = Path(tempfile.mkdtemp(prefix="bench-"))

    def __enter__(self) -> Self:
        try:
            self.server.start()
            self.bulk(
                ("api/v1/namespaces", {"metadata": {"name": name}}) for name in (NAMESPACE, BARE)
            )
        except BaseException:
            self._close()
            raise
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._close()

    def _close(self) -> None:
        self.server.close()
        shutil.rmtree(self.folder, ignore_errors=True)

    # --- what the cluster has ---------------------------------------------------------------------

    def bulk(self, objects: Iterable[tuple[str, dict[str, Any]]], method: str = "POST") -> None:
        """Send many objects to the API server, each to its path, 32 at a time."""
        sending = Bulk(self.server.url, self.server.token, self.server.ca_file).send
        with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
            runner.run(sending(method, objects))

    def nodes(self, count: int, stem: str = "n") -> list[str]:
        """Make the Nodes n0, n1, … with the label `kind=STEM`, and say their names."""
        names = [f"{stem}{number}" for number in range(count)]
        heads = ({"name": name, "labels": {"kind": stem}} for name in names)
        self.bulk(("api/v1/nodes", {"metadata": head}) for head in heads)
        return names

    def limits(self, everywhere: int, **kinds: int) -> None:
        """The ConfigMap, with a limit for all nodes and others for those of a kind."""
        rules = [
            {"nodeSelector": {"matchLabels": {"kind": kind}}, "number": number}
            for kind, number in kinds.items()
        ]
        whole = {"globalConfig": everywhere, "perNodeConfig": rules}
        self.config_map(json.dumps({"loadConcurrency": whole}))

    def config_map(self, text: str) -> None:
        """Make the ConfigMap with this text of limits."""
        head = {"name": CONFIG_MAP, "namespace": NAMESPACE}
        path = f"api/v1/namespaces/{NAMESPACE}/configmaps"
        self.bulk([(path, {"metadata": head, "data": {"limits": text}})])

    # --- what runs on it --------------------------------------------------------------------------

    @contextmanager
    def coordinator(self, *flags: str) -> Iterator[Served]:
        """`slot-coordinator serve` for the pool, ready to grant; ended with the block."""
        own = ["--namespace", NAMESPACE, "--node-agent-configmap", CONFIG_MAP]
        own += ["--kubeconfig", str(self.server.kubeconfig)]
        served = Served([*own, *flags], self.folder / "coordinator.log")
        try:
            served.wait_ready()
            yield served
        finally:
            served.end(10.0)

    def load(self, module: str, *words: str, **config: Any) -> Figures:
        """Run one load to its end. Raises `LoadFailed` with what it said.

        It is a process of its own, `python -m tests.bench.loads.MODULE WORDS… JSON`; its last line
        is a JSON object of figures.
        """
        told = json.dumps(self.access | config)
        command = [sys.executable, "-m", f"tests.bench.loads.{module}", *words, told]
        done = subprocess.run(command, cwd=_ROOT, capture_output=True, text=True, check=False)
        lines = done.stdout.strip().splitlines()
        if done.returncode or not lines:
            raise LoadFailed(f"{module}: {(done.stderr or done.stdout).strip()[-2000:]}")
        figures: Figures = json.loads(lines[-1])
        return figures

    @contextmanager
    def beside(self, module: str, **config: Any) -> Iterator[Process]:
        """A load that runs on until the block ends. Begins the block when it says `up`.

        Raises `LoadFailed` with what it said instead.
        """
        log = self.folder / f"{module}-{uuid.uuid4().hex[:8]}.log"
        told = json.dumps(self.access | config)
        process = Process([sys.executable, "-m", f"tests.bench.loads.{module}", told], log)
        try:
            while "up\n" not in log.read_text():
                if not process.is_running():
                    raise LoadFailed(f"{module}: {process.last_words()}")
                time.sleep(0.05)
            yield process
        finally:
            process.end()

    @property
    def access(self) -> dict[str, Any]:
        """How a load reaches the API server: `server`, `token`, `ca`, `namespace`."""
        server = self.server
        return {
            "server": server.url,
            "token": server.token,
            "ca": str(server.ca_file),
            "etcd": server.etcd_url,
            "namespace": NAMESPACE,
        }

    def writes(self) -> int:
        """How many writes of Leases the API server has counted, elections and all."""
        context = ssl.create_default_context(cafile=self.server.ca_file)
        request = urllib.request.Request(
            f"{self.server.url}/metrics", headers={"Authorization": f"Bearer {self.server.token}"}
        )
        with urllib.request.urlopen(request, context=context, timeout=30) as answer:
            text = answer.read().decode()
        found = _WRITES.finditer(text)
        return sum(int(float(one[1])) for one in found if _WRITING.search(one[0]))
