"""Plain HTTP as `curl` speaks it: one connection a request, nothing retried, nothing hidden."""

from __future__ import annotations

import json
import ssl
from dataclasses import dataclass
from http.client import HTTPConnection, HTTPException, HTTPSConnection
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

PROBLEMS = "https://nodeslots.io/problems/"
PATIENCE = 90.0
"""Seconds for one request; more than the longest poll, on a machine that is busy."""


class NoAnswer(Exception):
    """Nobody listens, or the connection ended before the answer did."""


@dataclass(frozen=True)
class Answer:
    """One response."""

    status: int
    headers: Mapping[str, str]
    raw: bytes

    @property
    def json(self) -> Any:
        return json.loads(self.raw)

    @property
    def text(self) -> str:
        return self.raw.decode()

    @property
    def problem(self) -> tuple[int, str]:
        """Status and name of an RFC 9457 problem; the case fails where the answer is none."""
        assert self.headers["content-type"] == "application/problem+json", (self.status, self.raw)
        body = self.json
        assert body["status"] == self.status
        assert body["detail"], body
        return self.status, body["type"].removeprefix(PROBLEMS)

    @property
    def detail(self) -> str:
        return str(self.json["detail"])


class Http:
    """One server, by its base URL. `ca_file` is read anew for each request; it may come later."""

    def __init__(self, url: str, token: str = "", ca_file: Path | None = None) -> None:
        self.url = url
        self._headers = {"authorization": f"Bearer {token}"} if token else {}
        self._ca_file = ca_file

    def begin(self, method: str, path: str) -> Answer:
        """The answer without the body of a good one, which may have no end. Raises NoAnswer."""
        connection = self._connection()
        try:
            connection.request(method, path, headers=self._headers)
            answer = connection.getresponse()
            told = {name.lower(): value for name, value in answer.getheaders()}
            return Answer(answer.status, told, b"" if answer.status < 300 else answer.read())
        except (OSError, HTTPException) as error:
            raise NoAnswer(f"{method} {self.url}{path}: {error!r}") from error
        finally:
            connection.close()

    def call(self, method: str, path: str, body: Any = None, **headers: str) -> Answer:
        """Sends the body as JSON, or as it is when it is bytes; `accept=...` sets a header.

        Raises NoAnswer.
        """
        data = body if body is None or isinstance(body, bytes) else json.dumps(body).encode()
        sent = {"content-type": "application/json"} if data is not None else {}
        sent |= self._headers | {name.replace("_", "-"): value for name, value in headers.items()}
        try:
            connection = self._connection()
        except OSError as error:  # the file with the authority is not there yet
            raise NoAnswer(f"{self.url}: {self._ca_file}: {error!r}") from error
        try:
            connection.request(method, path, data, sent)
            answer = connection.getresponse()
            told = {name.lower(): value for name, value in answer.getheaders()}
            return Answer(answer.status, told, answer.read())
        except (OSError, HTTPException) as error:
            raise NoAnswer(f"{method} {self.url}{path}: {error!r}") from error
        finally:
            connection.close()

    def _connection(self) -> HTTPConnection:
        address = urlsplit(self.url).netloc
        if self._ca_file is None:
            return HTTPConnection(address, timeout=PATIENCE)
        trusted = ssl.create_default_context(cafile=self._ca_file)
        return HTTPSConnection(address, timeout=PATIENCE, context=trusted)

    def get(self, path: str, **headers: str) -> Answer:
        return self.call("GET", path, **headers)

    def put(self, path: str, body: Any = None, **headers: str) -> Answer:
        return self.call("PUT", path, {} if body is None else body, **headers)

    def post(self, path: str, body: Any) -> Answer:
        return self.call("POST", path, body)

    def delete(self, path: str) -> Answer:
        return self.call("DELETE", path)

    def merge(self, path: str, change: Any) -> Answer:
        """A merge patch, as `kubectl patch --type=merge`."""
        return self.call("PATCH", path, change, content_type="application/merge-patch+json")
