"""An S3 server for one run: its data is in memory, its address in the tier's own network."""

from __future__ import annotations

import signal
import socket
from contextlib import contextmanager
from typing import TYPE_CHECKING, Self

from tests.e2e.waiting import until
from tests.e2e.wire import Http
from tests.realserver.process import Process
from tests.velero import moto, network

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

BUCKET = "backups"
PORT = 9000
URL = f"http://{network.STORAGE}:{PORT}"
CREDENTIALS = "[default]\naws_access_key_id=tests\naws_secret_access_key=tests\n"
"""It believes everybody."""
LOCATION = f"region=us-east-1,s3ForcePathStyle=true,s3Url={URL}"
"""What `velero install --backup-location-config` is told."""


class Storage:
    """Runs from entering to leaving, with an empty bucket. It needs `network.isolate`."""

    def __init__(self, folder: Path) -> None:
        self.credentials = folder / "s3-credentials"
        self.credentials.write_text(CREDENTIALS)
        self._log = folder / "s3.log"
        # Found (or fetched) here: there is no way out of the tier's network.
        self._command = [str(moto.program()), "--host", network.STORAGE, "--port", str(PORT)]
        self._process: Process | None = None

    def __enter__(self) -> Self:
        self._process = Process(self._command, self._log)
        until(self._answers, "the S3 server answers")
        made = Http(URL).put(f"/{BUCKET}", b"")
        assert made.status == 200, made.raw
        return self

    def __exit__(self, *_: object) -> None:
        if self._process is not None:
            self._process.end()

    @contextmanager
    def frozen(self) -> Iterator[None]:
        """For seconds nobody gets an answer: movers that run neither end nor fail."""
        assert self._process is not None
        self._process.send(signal.SIGSTOP)
        try:
            yield
        finally:
            self._process.send(signal.SIGCONT)

    def _answers(self) -> bool:
        assert self._process is not None
        assert self._process.is_running(), self._process.last_words()
        with socket.socket() as probe:
            return probe.connect_ex((network.STORAGE, PORT)) == 0
