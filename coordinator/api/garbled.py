"""What is said of bytes that are no HTTP: nothing of them.

The HTTP library quotes them, in its answer and in the log. They may hold somebody's token: a header
that is too long, or that has one wrong character, is quoted as well.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from aiohttp import web

if TYPE_CHECKING:
    from collections.abc import Callable


class Reticent(web.RequestHandler):
    """The library's protocol of one connection, but for what it says of such bytes."""

    __slots__ = ()

    def handle_error(
        self,
        request: web.BaseRequest,
        status: int = 500,
        exc: BaseException | None = None,
        message: str | None = None,
    ) -> web.StreamResponse:
        """Answer, and close the connection: nobody knows where the next request begins."""
        if status >= 500:  # not what was sent
            return super().handle_error(request, status, exc, message)
        answer = web.Response(status=status, text="the request cannot be read as HTTP/1.1\n")
        answer.force_close()
        return answer


def reticent(server: web.Server) -> Callable[[], Reticent]:
    """What makes the protocol for each new connection of this server."""

    def made() -> Reticent:
        protocol = server()
        protocol.__class__ = Reticent  # the server itself can be told no class of its own
        return protocol  # type: ignore[return-value]

    return made
