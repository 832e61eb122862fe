"""A real Prometheus: Debian's package, unpacked into the cache, run on loopback."""

from __future__ import annotations

import json
import shutil
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any, NoReturn

import aiohttp
import pytest

from tests.realserver import report
from tests.realserver.process import Process, free_port
from tests.tools.debian import NoPackageError, found, unpacked

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

PACKAGES = ("prometheus",)
TITLE = "Prometheus"
INTERVAL_MS = 200
"""Between two scrapes, and between two looks at the rules."""


class QueryError(Exception):
    """Prometheus refused the query; the text is what it said."""


def ensure() -> int:
    """Fetches the package; the exit code is a failure only where nothing may be left out."""
    try:
        folder = unpacked(PACKAGES)
    except (NoPackageError, OSError) as error:
        return report.fail_or_skip(str(error), TITLE)
    report.say(f"== {TITLE}: ready in {folder}")
    return 0


def program() -> Path:
    """The binary; skips, or fails where nothing may be left out."""
    folder = found(PACKAGES)
    if folder is None:
        _go_without(report.without(TITLE, "not there (make tools)"))
    return folder / "usr" / "bin" / "prometheus"


def _go_without(why: str) -> NoReturn:
    if report.is_required():
        pytest.fail(why)
    pytest.skip(why)


class Prometheus:
    """One that runs, asked over its HTTP API."""

    def __init__(self, process: Process, url: str, session: aiohttp.ClientSession) -> None:
        self.process = process
        self._url = url
        self._session = session

    async def query(self, text: str) -> list[Any]:
        """The result of an instant query. Raises `QueryError`."""
        return list((await self._get("query", query=text))["result"])

    async def series(self, text: str, start: float, end: float) -> list[Any]:
        """The result of a range query, a value each second. Raises `QueryError`."""
        span = {"start": str(start), "end": str(end), "step": "1"}
        return list((await self._get("query_range", query=text, **span))["result"])

    async def label_values(self, metric: str, label: str) -> list[str]:
        """What Grafana's `label_values(metric, label)` asks."""
        return list(await self._get(f"label/{label}/values", **{"match[]": metric}))

    async def rules(self) -> list[Any]:
        """Each alert's rule with its health."""
        groups = (await self._get("rules"))["groups"]
        return [rule for group in groups for rule in group["rules"]]

    async def is_ready(self) -> bool:
        try:
            async with self._session.get(f"{self._url}/-/ready") as answer:
                return answer.status == 200
        except (aiohttp.ClientError, OSError):
            return False

    async def _get(self, what: str, **params: str) -> Any:
        async with self._session.get(f"{self._url}/api/v1/{what}", params=params) as answer:
            told = await answer.json()
        if told["status"] != "success":
            raise QueryError(told["error"])
        return told["data"]


@contextmanager
def running(
    folder: Path, target: str, rules: Path, session: aiohttp.ClientSession
) -> Iterator[Prometheus]:
    """One that scrapes `target` (HOST:PORT, over TLS) as the ServiceMonitor has it scraped."""
    every = f"{INTERVAL_MS}ms"
    job = {
        "job_name": "node-slots",
        "scheme": "https",
        "honor_labels": True,
        "tls_config": {"insecure_skip_verify": True},
        "static_configs": [{"targets": [target], "labels": {"pod": "a"}}],
    }
    config = {
        "global": {"scrape_interval": every, "scrape_timeout": every, "evaluation_interval": every},
        "rule_files": [str(rules)],
        "scrape_configs": [job],
    }
    path, listen = folder / "prometheus.yaml", f"127.0.0.1:{free_port()}"
    path.write_text(json.dumps(config))
    process = Process(
        [
            *(str(shutil.which("env")), "-i", "GOMAXPROCS=1", str(program())),
            f"--config.file={path}",
            f"--storage.tsdb.path={folder / 'data'}",
            f"--web.listen-address={listen}",
        ],
        folder / "prometheus.log",
    )
    try:
        yield Prometheus(process, f"http://{listen}", session)
    finally:
        process.end()
