"""The log: one event, one line, as JSON for machines or in colour for people.

Everything goes through here, the libraries' own messages too. Nothing logs headers or bodies, so
no credentials can appear.
"""

from __future__ import annotations

import json
import logging
import sys
from typing import TYPE_CHECKING, Literal

import structlog

if TYPE_CHECKING:
    from structlog.typing import EventDict, Processor

LogFormat = Literal["json", "console"]
LogLevel = Literal["debug", "info", "warning", "error"]


def configure(log_format: LogFormat, level: LogLevel) -> None:
    """Write to stderr from now on, everything of at least `level`."""
    shared: list[Processor] = [
        structlog.stdlib.add_log_level,
        structlog.stdlib.add_logger_name,
        structlog.processors.TimeStamper(fmt="iso", utc=True),
        structlog.stdlib.ExtraAdder(),
    ]
    structlog.configure(
        processors=[
            structlog.stdlib.filter_by_level,
            *shared,
            structlog.stdlib.ProcessorFormatter.wrap_for_formatter,
        ],
        logger_factory=structlog.stdlib.LoggerFactory(),
        wrapper_class=structlog.stdlib.BoundLogger,
        cache_logger_on_first_use=False,  # pools bind their loggers when they are made
    )
    _replace_handler(
        structlog.stdlib.ProcessorFormatter(
            foreign_pre_chain=[*shared, structlog.stdlib.PositionalArgumentsFormatter()],
            processors=[
                structlog.stdlib.ProcessorFormatter.remove_processors_meta,
                *_renderers(log_format),
            ],
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
    return {**first, **{key: value for key, value in event.items() if key not in first}}


def _dumps(event: object, **_options: object) -> str:
    """Anything that JSON does not know is written as its text: no line is ever lost."""
    return json.dumps(event, default=str, separators=(",", ":"))
