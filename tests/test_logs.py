"""One event, one line; nothing that should not be there."""

from __future__ import annotations

import json
import logging
from typing import TYPE_CHECKING, Any

import orjson
import pytest
import structlog

from coordinator import logs

if TYPE_CHECKING:
    from collections.abc import Iterator


@pytest.fixture(autouse=True)
def as_it_was() -> Iterator[None]:
    names = ["", "asyncio", "aiohttp.server"]
    levels = {name: logging.getLogger(name).level for name in names}
    handlers = logging.root.handlers[:]
    yield
    logging.root.handlers[:] = handlers
    for name, level in levels.items():
        logging.getLogger(name).setLevel(level)
    structlog.reset_defaults()


def lines(capsys: pytest.CaptureFixture[str]) -> list[dict[str, Any]]:
    return [orjson.loads(line) for line in capsys.readouterr().err.splitlines()]


def fail(secret: str) -> None:
    raise RuntimeError(f"failed with {len(secret)} letters")


def test_an_event_is_one_json_object_with_its_fields(capsys: pytest.CaptureFixture[str]) -> None:
    logs.configure("json", "info")
    structlog.get_logger("coordinator.x").info("granted", node="node1", text="two\nlines")
    [line] = lines(capsys)
    assert list(line)[:3] == ["timestamp", "level", "event"]
    assert (line["event"], line["level"], line["node"]) == ("granted", "info", "node1")
    assert line["logger"] == "coordinator.x"


def test_the_level_holds_for_libraries_as_well(capsys: pytest.CaptureFixture[str]) -> None:
    logs.configure("json", "warning")
    structlog.get_logger("coordinator.x").info("granted")
    logging.getLogger("some.library").info("too much")
    logging.getLogger("some.library").warning("%d problems", 3)
    [line] = lines(capsys)
    assert (line["event"], line["logger"]) == ("3 problems", "some.library")


def test_what_strangers_send_is_not_logged(capsys: pytest.CaptureFixture[str]) -> None:
    logs.configure("json", "debug")
    logging.getLogger("aiohttp.server").error("Error handling request: b'Authorization: x'")
    assert not lines(capsys)


def test_a_logger_made_before_the_configuration_follows_it(
    capsys: pytest.CaptureFixture[str],
) -> None:
    early = structlog.get_logger("coordinator.early")
    logs.configure("json", "info")
    early.info("listening")
    [line] = lines(capsys)
    assert (line["event"], line["logger"]) == ("listening", "coordinator.early")


@pytest.mark.parametrize("log_format", ["json", "console"])
def test_a_traceback_shows_no_variables(
    capsys: pytest.CaptureFixture[str], log_format: logs.LogFormat
) -> None:
    logs.configure(log_format, "info")
    try:
        fail("hunter2")
    except RuntimeError:
        structlog.get_logger("coordinator.x").exception("failed")
    text = capsys.readouterr().err
    assert "RuntimeError: failed with 7 letters" in text
    assert "hunter2" not in text.replace('fail("hunter2")', "").replace('fail(\\"hunter2\\")', "")


def test_nobody_can_forge_a_line_for_people(capsys: pytest.CaptureFixture[str]) -> None:
    logs.configure("console", "info")
    path = "/a\n\x1b[2K\u2028\u202e\u00fc"
    structlog.get_logger("coordinator.x").info("request", path=path)
    logging.getLogger("some.library").info("two\nlines")
    first, second = capsys.readouterr().err.split("\n")[:-1]
    assert first.endswith(r"path=/a\n\x1b[2K\u2028\u202eü")
    assert r"two\nlines" in second


def test_what_json_does_not_know_is_written_as_text(capsys: pytest.CaptureFixture[str]) -> None:
    logs.configure("json", "info")
    structlog.get_logger("coordinator.x").info("odd", error=ValueError("why"), number=2**70)
    structlog.get_logger("coordinator.x").info("odder", half="\ud800")
    line, odder = map(json.loads, capsys.readouterr().err.splitlines())
    assert line["error"] == "why"
    assert odder["half"] == "\ud800"
