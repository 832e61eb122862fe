"""Server-sent events are read as the HTML standard has them, however the bytes are cut."""

from __future__ import annotations

import pytest

from coordinator.kubectl.connect import events
from coordinator.kubectl.connect.events import Event, Garbled, Parser

STREAM = (
    b'retry: 250\n\n: still here\n\nid: 7.1\nevent: grant\ndata: {"node":\n'
    b'data:  "n\xc3\xb61"}\n\nevent:hello\r\ndata:{}\r\n\r\ndata: no json\n\nid: 9\n\n'
)
TOLD = [
    Event("grant", {"node": "nö1"}, "7.1"),
    Event("hello", {}),
    Event("message", None),
]


@pytest.mark.parametrize("size", [1, 2, 3, 7, len(STREAM)])
def test_events_are_the_same_however_the_bytes_are_cut(size: int) -> None:
    parser = Parser()
    pieces = [STREAM[at : at + size] for at in range(0, len(STREAM), size)]
    assert [event for piece in pieces for event in parser.feed(piece)] == TOLD
    assert parser.retry == 0.25


def test_an_event_that_never_ends_is_given_up(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(events, "MOST", 100)
    with pytest.raises(Garbled, match="line"):
        Parser().feed(b"data: " + 100 * b"x")
    with pytest.raises(Garbled, match="event"):
        Parser().feed(20 * b"data: 12345678\n")
