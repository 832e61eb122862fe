"""What the API server really stored, revision by revision, straight from etcd.

A watch of the API server itself has gaps: after its restart it serves nothing older. etcd keeps
every revision for minutes, so a Lease that was granted and freed within a second is seen, too.
"""

from __future__ import annotations

import asyncio
import base64
import json
import time
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any, Self

import aiohttp

from tests.chaos.stored import read_config, read_lease

if TYPE_CHECKING:
    from pathlib import Path

ELECTION = "node-slots-coordinator"
_NOTE = "nodeslots.io/"
_AGAIN = 0.2
"""Seconds before etcd is asked again after it went away."""
_LINE = 2**24
"""Bytes. After a pause etcd tells all that happened in one line."""
_OPENING = 30.0
"""Seconds for the beginning of a watch."""


@dataclass(frozen=True)
class Version:
    """One state of a Lease, seen at `at`. Times are the machine's monotonic time, in seconds.

    `acquired` is when the coordinator wrote the grant down, by the coordinator's wall clock.
    """

    at: float
    revision: int
    name: str
    node: str = ""
    claim: str = ""
    token: int = 0
    acquired: float = 0.0
    is_gone: bool = False


@dataclass(frozen=True)
class Granted:
    """A version that names a claim which the version before did not name."""

    version: Version
    replaced: int
    """The revision that the grant overwrote: what its token must be (P5)."""
    is_hand_over: bool


class History:
    """Follows the Leases and ConfigMaps of a namespace while its context is open.

    `journal` gets every Lease's version.
    """

    def __init__(self, etcd_url: str, namespace: str, journal: Path) -> None:
        self._url = f"{etcd_url}/v3/watch"
        self._namespace = namespace
        self._journal = journal
        self.newest: dict[str, Version] = {}
        """Every slot's Lease as it was seen last."""
        self.grants: list[Granted] = []
        """Every grant, in the order of the writes."""
        self.configs: dict[str, dict[str, str]] = {}
        """The data of every ConfigMap that was ever stored, by resourceVersion."""
        self.leader_url = ""
        """What the election's Lease says; "" while it names nobody."""
        self.gaps: list[str] = []
        """Why something may have been missed."""
        self._following: list[asyncio.Task[None]] = []

    async def __aenter__(self) -> Self:
        """Everything that is written from now on is seen."""
        for kind, take in (("leases", self._lease), ("configmaps", self._config)):
            begun = asyncio.Event()
            task = asyncio.create_task(self._follow(kind, take, begun))
            task.add_done_callback(self._ended)
            self._following.append(task)
            async with asyncio.timeout(_OPENING):
                await begun.wait()
        return self

    async def __aexit__(self, *_: object) -> None:
        for task in self._following:
            task.cancel()
        await asyncio.gather(*self._following, return_exceptions=True)

    def _ended(self, task: asyncio.Task[None]) -> None:
        if not task.cancelled():
            self.gaps.append(f"a watch of etcd ended: {task.exception()!r}")

    async def _follow(self, kind: str, take: Any, begun: asyncio.Event) -> None:
        begin, prefix = 0, f"/registry/{kind}/{self._namespace}/"
        for_ever = aiohttp.ClientTimeout(total=None)
        async with aiohttp.ClientSession(timeout=for_ever, read_bufsize=_LINE) as session:
            while True:
                try:
                    async with session.post(self._url, json=_request(prefix, begin)) as answer:
                        async for line in answer.content:
                            begin = self._take(json.loads(line)["result"], take, begin)
                            begun.set()
                            if not begin:
                                break
                except (aiohttp.ClientError, OSError, KeyError):
                    await asyncio.sleep(_AGAIN)

    def _take(self, result: Any, take: Any, begin: int) -> int:
        """What comes back is the revision to go on from after a lost connection; 0: from now."""
        if result.get("canceled"):  # it has forgotten that revision
            self.gaps.append(f"etcd does not tell on from revision {begin}: {result}")
            return 0
        begin = begin or int(result["header"]["revision"]) + 1
        for event in result.get("events", ()):
            stored = event["kv"]
            name = base64.b64decode(stored["key"]).decode().rpartition("/")[2]
            value = base64.b64decode(stored.get("value", ""))
            take(name, int(stored["mod_revision"]), value)
            begin = int(stored["mod_revision"]) + 1
        return begin

    def _lease(self, name: str, revision: int, value: bytes) -> None:
        if name == ELECTION:
            lease = read_lease(value) if value else None
            held = lease is not None and lease.holder
            self.leader_url = lease.notes.get(_NOTE + "url", "") if lease and held else ""
            return
        version = _version(name, revision, value)
        before = self.newest.get(name, Version(0.0, 0, name, is_gone=True))
        if version.claim and (version.claim, version.token) != (before.claim, before.token):
            self.grants.append(Granted(version, before.revision, bool(before.claim)))
        self.newest[name] = version
        with self._journal.open("a") as file:
            file.write(json.dumps(asdict(version)) + "\n")

    def _config(self, _name: str, revision: int, value: bytes) -> None:
        if value:
            self.configs[str(revision)] = read_config(value)


def _version(name: str, revision: int, value: bytes) -> Version:
    now = time.monotonic()
    if not value:
        return Version(now, revision, name, is_gone=True)
    lease = read_lease(value)
    notes = lease.notes if lease.holder else {}
    return Version(
        now,
        revision,
        name,
        node=lease.notes.get(_NOTE + "node", ""),
        claim=notes.get(_NOTE + "claim", ""),
        token=int(notes.get(_NOTE + "fencing-token", 0)),
        acquired=lease.acquired - time.time() + now if lease.acquired else 0.0,
    )


def _request(prefix: str, begin: int) -> Any:
    end = prefix[:-1] + chr(ord(prefix[-1]) + 1)
    key, range_end = (base64.b64encode(text.encode()).decode() for text in (prefix, end))
    return {"create_request": {"key": key, "range_end": range_end, "start_revision": str(begin)}}
