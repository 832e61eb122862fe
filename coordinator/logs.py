"""The log: one event, one line, as JSON for machines or in colour for people.

Everything goes through here, the libraries' own messages too. Nothing logs headers or bodies, so
no credentials can appear.
"""

from __future__ import annotations

import json
import logging
import sys
from typing import TYPE_CHECKING, Literal

import orjson
import structlog

if TYPE_CHECKING:
    from structlog.typing import EventDict, Processor

LogFormat = Literal["json", "console"]
LogLevel = Literal["debug", "info", "warning", "error"]


class _Writer:
    """Writes finished lines to stderr, under a name.

    The standard library's logger would look for the calling line and take a lock for each event,
    which costs more than all the rest of a grant's line.
    """

    def __init__(self, name: str = "") -> None:
        self.name = name

    def msg(self, line: str) -> None:
        """Write one line."""
        sys.stderr.write(line + "\n")
        sys.stderr.flush()

    debug = info = warning = error = critical = exception = msg


def configure(log_format: LogFormat, level: LogLevel) -> None:
    """Write to stderr from now on, everything of at least `level`."""
    shared: list[Processor] = [
        structlog.stdlib.add_log_level,
        structlog.stdlib.add_logger_name,
        structlog.processors.TimeStamper(fmt="iso", utc=True),
    ]
    renderers = _renderers(log_format)
    structlog.configure(
        processors=[*shared, *renderers],
        logger_factory=_Writer,
        wrapper_class=structlog.make_filtering_bound_logger(level),
        cache_logger_on_first_use=False,  # pools bind their loggers when they are made
    )
    foreign: list[Processor] = [*shared, structlog.stdlib.ExtraAdder()]
    _replace_handler(
        structlog.stdlib.ProcessorFormatter(
            foreign_pre_chain=[*foreign, structlog.stdlib.PositionalArgumentsFormatter()],
            processors=[structlog.stdlib.ProcessorFormatter.remove_processors_meta, *renderers],
        )
    )
    logging.getLogger().setLevel(level.upper())
    logging.getLogger("asyncio").setLevel("WARNING")
    # It writes a traceback, with pieces of the headers, for whatever bytes a stranger sends. What
    # fails inside a request is logged by `coordinator.api.exchange`.
    logging.getLogger("aiohttp.server").setLevel("CRITICAL")


def _replace_handler(formatter: logging.Formatter) -> None:
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(formatter)
    root = logging.getLogger()
    root.handlers[:] = [handler]


def _renderers(log_format: LogFormat) -> list[Processor]:
    if log_format == "console":
        # The renderer's own choice would print every local variable, credentials among them.
        plain = structlog.dev.plain_traceback
        return [
            _printable,
            structlog.dev.ConsoleRenderer(colors=sys.stderr.isatty(), exception_formatter=plain),
        ]
    return [
        structlog.processors.format_exc_info,
        _event_first,
        structlog.processors.JSONRenderer(serializer=_dumps),
    ]


def _printable(_logger: object, _method: str, event: EventDict) -> EventDict:
    """Line breaks and control characters that a stranger sent, in a path say, are shown as such."""
    return {key: _escaped(value) for key, value in event.items()}


def _escaped(value: object) -> object:
    if not isinstance(value, str) or value.isprintable():
        return value
    return "".join(one if one.isprintable() else repr(one)[1:-1] for one in value)


def _event_first(_logger: object, _method: str, event: EventDict) -> EventDict:
    """When and what come first, so that a line can be read by eye as well."""
    order = ("timestamp", "level", "event")
    first = {key: event[key] for key in order if key in event}
    return {**first, **event}


def _dumps(event: object, **_options: object) -> str:
    """Anything that JSON does not know is written as its text: no line is ever lost."""
    try:
        return orjson.dumps(event, default=str, option=orjson.OPT_NON_STR_KEYS).decode()
    except TypeError:  # a number of more than 64 bits, or half a character
        return json.dumps(event, default=str, separators=(",", ":"))
