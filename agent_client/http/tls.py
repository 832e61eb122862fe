"""Whom to believe: the TLS context of an `https` coordinator, made when it is first needed."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from agent_client.errors import NoAnswer

if TYPE_CHECKING:
    import ssl


class Trust:
    """The certificates of `ca_file`, or the system's where it is None."""

    def __init__(self, ca_file: str | None) -> None:
        self._file = None if ca_file is None else Path(ca_file)
        self._state: tuple[int, ...] = ()
        self._context: ssl.SSLContext | None = None

    def context(self) -> ssl.SSLContext:
        """The context to connect with; a new one once the file has changed.

        Raises:
            NoAnswer: the file cannot be read, or holds no certificate.
        """
        try:
            state = self._looks()
            if self._context is None or state != self._state:
                self._context, self._state = self._made(), state
        except OSError as error:  # TLS errors are OSErrors, too
            why = error.strerror or error
            raise NoAnswer(f"the CA file {self._file} cannot be used: {why}") from error
        return self._context

    def _looks(self) -> tuple[int, ...]:
        """What changes when the file is replaced, be it by a link as in a mounted Secret."""
        if self._file is None:
            return ()
        found = self._file.stat()
        return found.st_mtime_ns, found.st_ino, found.st_dev, found.st_size

    def _made(self) -> ssl.SSLContext:
        import ssl

        context = ssl.create_default_context(cafile=self._file)
        context.minimum_version = ssl.TLSVersion.TLSv1_2
        return context
