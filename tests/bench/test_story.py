"""When a coordinator said something is read off its log."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.bench import story

if TYPE_CHECKING:
    from pathlib import Path

FIRST, SECOND = 1_767_225_600.0, 1_767_225_601.5
LOG = """\
{"timestamp":"2026-01-01T00:00:00.000000Z","level":"info","event":"leading"}
not a line of its own: "leading"
{"timestamp":"2026-01-01T00:00:01.000000Z","level":"info","event":"following","leader":"leading"}
{"timestamp":"2026-01-01T00:00:01.500000Z","level":"info","event":"leading"}
{"timestamp":"2026-01-01T00:00:02.000000Z","level":"info","event":"lea"""


def test_the_first_time_after_a_moment_counts(tmp_path: Path) -> None:
    log = tmp_path / "log"
    log.write_text(LOG)
    assert story.said(log, "leading") == FIRST
    assert story.said(log, "leading", after=FIRST) == SECOND


def test_what_is_never_said_is_not_waited_for_without_end(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    log = tmp_path / "log"
    log.write_text(LOG)
    monkeypatch.setattr(story, "PATIENCE", 0.0)
    with pytest.raises(story.Unsaid, match="took over"):
        story.said(log, "took over")
