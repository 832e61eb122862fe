"""What is sent for an answer, and what is taken for one; without asyncio."""

from __future__ import annotations

import json
import math
from pathlib import Path
from typing import TYPE_CHECKING, NoReturn

from agent_client.errors import NoAnswer
from agent_client.messages import Reply

if TYPE_CHECKING:
    from collections.abc import Mapping


def authorization(token_file: str | None) -> dict[str, str]:
    """The header with the token in the file, read anew: a projected one is replaced meanwhile.

    Raises:
        NoAnswer: the file cannot be read, or holds no token. No error quotes any of it.
    """
    if token_file is None:
        return {}
    try:
        token = Path(token_file).read_bytes().strip()
    except OSError as error:
        raise NoAnswer(f"the token file {token_file} cannot be read: {error.strerror}") from error
    if not (token and all(0x21 <= byte <= 0x7E for byte in token)):
        raise NoAnswer(f"the token file {token_file} holds no bearer token")
    return {"Authorization": f"Bearer {token.decode('ascii')}"}


def reply_of(url: str, status: int, headers: Mapping[str, str], body: bytes) -> Reply:
    """The answer of the coordinator at `url`; header names are in lower case.

    Raises:
        NoAnswer: no coordinator says this: a redirect, or what is no JSON.
    """
    if 300 <= status < 400:
        to = headers.get("location", "nowhere")
        raise NoAnswer(f"{url} redirects to {to}: give the address that it leads to")
    try:
        payload = _DECODER.decode(body.decode()) if body else None
    except (ValueError, RecursionError) as error:
        raise NoAnswer(f"{url} answered {status} and no usable JSON: {error}") from error
    return Reply(status, payload, _retry_after(headers.get("retry-after", "")))


def _retry_after(header: str) -> float | None:
    """Seconds; the header's date form is not used by a coordinator and is ignored."""
    return float(header) if header.isascii() and header.isdigit() else None


def _whole(text: str) -> int:
    if len(text) > 20:
        raise ValueError("a number is too large")
    return int(text)


def _finite(text: str) -> float:
    number = float(text)
    if not math.isfinite(number):
        raise ValueError("a number is too large")
    return number


def _no_number(text: str) -> NoReturn:
    raise ValueError(f"{text} is no number in JSON")


_DECODER = json.JSONDecoder(parse_int=_whole, parse_float=_finite, parse_constant=_no_number)
"""As the standard library reads, without its numbers that no arithmetic survives."""
