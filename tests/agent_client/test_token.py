"""The bearer token: read when it is needed, and told to the coordinator alone."""

from __future__ import annotations

import logging
import traceback
from typing import TYPE_CHECKING

import pytest

from agent_client.errors import NoAnswer
from agent_client.settings import Settings
from agent_client.transport import HttpTransport
from tests.agent_client.rawhttp import DEADLINE
from tests.agent_client.scripted import saying, scripted

if TYPE_CHECKING:
    from pathlib import Path

SECRET = "s3cr3t"


async def sync(url: str, token_file: Path) -> None:
    """One sync by a transport of its own, which leaves no connection behind."""
    transport = HttpTransport(
        Settings.resolve(
            url=url, namespace="velero", node="node1", token_file=str(token_file), environ={}
        )
    )
    try:
        await transport.sync({}, DEADLINE)
    finally:
        await transport.close()


def told(error: BaseException) -> str:
    """All that a traceback shows of `error` and its causes."""
    return "".join(traceback.format_exception(error)) + repr(error.__dict__)


async def test_a_missing_file_is_named(tmp_path: Path) -> None:
    file = tmp_path / "gone"
    with pytest.raises(NoAnswer, match=f"the token file {file} cannot be read: No such file"):
        await sync("http://127.0.0.1:1", file)


@pytest.mark.parametrize(
    "content", [b"", b" \n", b"s3cr3t\nX-Other: 1", b"s3cr3t two", b"s3cr3t\xff", "sécr3t".encode()]
)
async def test_a_file_without_a_token_is_named_and_not_quoted(
    tmp_path: Path, content: bytes
) -> None:
    file = tmp_path / "token"
    file.write_bytes(content)
    with pytest.raises(NoAnswer, match=f"the token file {file} holds no bearer token") as raised:
        await sync("http://127.0.0.1:1", file)
    assert "cr3t" not in told(raised.value)


@pytest.mark.parametrize(
    "answer",
    [
        None,
        "",
        "nonsense\r\n\r\n",
        "HTTP/1.1 302 Found\r\nLocation: /x\r\nContent-Length: 0\r\n\r\n",
        "HTTP/1.1 200 OK\r\nContent-Length: 1\r\n\r\n{",
        "HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\n{",
    ],
)
async def test_it_appears_in_no_error_and_in_no_log(
    tmp_path: Path, caplog: pytest.LogCaptureFixture, answer: str | None
) -> None:
    caplog.set_level(logging.DEBUG)
    file = tmp_path / "token"
    file.write_text(SECRET)
    async with scripted(saying(answer or "")) as server:
        url = "http://127.0.0.1:1" if answer is None else server.url
        with pytest.raises(NoAnswer) as raised:
            await sync(url, file)
    assert SECRET not in told(raised.value)
    assert SECRET not in caplog.text
