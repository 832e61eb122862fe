"""One event of a pool as one line for people. Pure."""

from __future__ import annotations

from contextlib import suppress
from datetime import datetime
from typing import TYPE_CHECKING, Any

from coordinator.kubectl.table import age, plain

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    Data = Mapping[str, Any]


def line(name: str, data: Data) -> str:
    """What happened, with the time of the day here; "" for events that are no news."""
    tell = _TOLD.get(name)
    return plain(f"{clock(str(data.get('at') or ''))}  {tell(data)}") if tell else ""


def clock(at: str) -> str:
    """The time of the day here, of an RFC 3339 time; as it stands where it is none."""
    with suppress(ValueError):
        return datetime.fromisoformat(at).astimezone().strftime("%H:%M:%S")
    return at


def _place(data: Data) -> str:
    return f"{data.get('node')} slot {data.get('slot')}"


def _who(data: Data) -> str:
    """The load, with its Pod where that has another name."""
    load, pod = str(data.get("load") or data.get("claim")), str(data.get("pod") or "")
    return f"{load} ({pod})" if pod and pod.rpartition("/")[2] != load else load


def _for(data: Data, key: str, words: str) -> str:
    return f", {words} {age(data[key])}" if data.get(key) is not None else ""


def _granted(data: Data) -> str:
    return f"{_place(data)}: granted to {_who(data)}{_for(data, 'waitedSeconds', 'waited')}"


def _handed_over(data: Data) -> str:
    gave = f"{_who(data.get('from') or {})}{_for(data, 'heldSeconds', 'held')}"
    return f"{_place(data)}: from {gave}, to {_who(data)}{_for(data, 'waitedSeconds', 'waited')}"


def _released(data: Data) -> str:
    return f"{_place(data)}: released by {_who(data)}{_for(data, 'heldSeconds', 'held')}"


def _reclaimed(data: Data) -> str:
    why = data.get("reason") or data.get("cause")
    return f"{_place(data)}: taken back from {_who(data)}: {why}"


def _limit(data: Data) -> str:
    change = f"limit {data.get('before')} -> {data.get('after')}"
    return f"{data.get('node')}: {change}, from {data.get('rule')}"


def _hold(data: Data) -> str:
    reason = data.get("reason")
    return f"{data.get('node')}: " + (f"on hold: {reason}" if reason else "grants again")


def _config(data: Data) -> str:
    error = data.get("error")
    return (
        f"ConfigMap refused, the last good one stays in force: {error}"
        if error
        else ("a new ConfigMap is in force")
    )


_TOLD: dict[str, Callable[[Data], str]] = {
    "grant": _granted,
    "handover": _handed_over,
    "release": _released,
    "reclaim": _reclaimed,
    "limit": _limit,
    "hold": _hold,
    "config": _config,
}
