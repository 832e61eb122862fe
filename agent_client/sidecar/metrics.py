"""The sidecar's metrics in Prometheus' text format."""

from __future__ import annotations

from itertools import accumulate
from typing import TYPE_CHECKING

from agent_client.sidecar.lines import GRANTED, QUEUED, UNCONFIRMED, state_of
from agent_client.sidecar.tally import BUCKETS, Tally

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from agent_client.session import Session

CONTENT_TYPE = "text/plain; version=0.0.4; charset=utf-8"
WITHOUT_SLOT = "without_slot"


def metrics_text(
    tally: Tally,
    ran_alone: int,
    sessions: Iterable[Session],
    now: float,
    *,
    up: bool,
    version: str,
) -> bytes:
    """Everything that there is to scrape at the time `now`.

    `ran_alone` are loads that ran without a slot before anybody could be asked for one.
    """
    families = [
        *_gauge("up", "Whether a coordinator answers.", int(up)),
        *_states(sessions, now),
        *_counter("granted", "Slots granted.", tally.granted),
        *_counter("lost", "Slots that the coordinator said were lost.", tally.lost),
        *_counter("unconfirmed", "Slots not confirmed in time.", tally.unconfirmed),
        *_counter("without_slot", "Loads that ran without a slot.", tally.without_slot + ran_alone),
        *_waits(tally),
        *_head("build_info", "gauge", "The version that runs."),
        f'nodeslots_agent_build_info{{version="{version}"}} 1',
    ]
    return ("\n".join(families) + "\n").encode()


def _head(name: str, kind: str, text: str) -> Iterator[str]:
    yield f"# HELP nodeslots_agent_{name} {text}"
    yield f"# TYPE nodeslots_agent_{name} {kind}"


def _gauge(name: str, text: str, value: float) -> Iterator[str]:
    yield from _head(f"coordinator_{name}", "gauge", text)
    yield f"nodeslots_agent_coordinator_{name} {value}"


def _counter(name: str, text: str, value: int) -> Iterator[str]:
    yield from _head(f"{name}_total", "counter", text)
    yield f"nodeslots_agent_{name}_total {value}"


def _states(sessions: Iterable[Session], now: float) -> Iterator[str]:
    counts = dict.fromkeys((QUEUED, GRANTED, UNCONFIRMED, WITHOUT_SLOT), 0)
    for session in sessions:
        state = state_of(session, now) if session.governed else WITHOUT_SLOT
        if state in counts:
            counts[state] += 1
    yield from _head("slots", "gauge", "Loads by state, as this sidecar knows it.")
    for state, count in counts.items():
        yield f'nodeslots_agent_slots{{state="{state}"}} {count}'


def _waits(tally: Tally) -> Iterator[str]:
    name = "nodeslots_agent_wait_seconds"
    yield from _head("wait_seconds", "histogram", "From asking for a slot until it was granted.")
    bounds = [*(f"{bound:g}" for bound in BUCKETS), "+Inf"]
    for bound, count in zip(bounds, accumulate(tally.waits), strict=True):
        yield f'{name}_bucket{{le="{bound}"}} {count}'
    yield f"{name}_sum {tally.waited:.3f}"
    yield f"{name}_count {tally.granted}"
