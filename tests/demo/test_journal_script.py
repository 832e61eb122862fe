"""The script that a demo's load is."""

from __future__ import annotations

import subprocess
from typing import TYPE_CHECKING

from coordinator.demo.journal import SCRIPT, Journal

if TYPE_CHECKING:
    from pathlib import Path

DATE = """\
#!/bin/sh
if [ ! -e "$DEMO_JOURNAL.killed" ]; then : >"$DEMO_JOURNAL.killed"; kill -TERM $$; fi
echo 1.5
"""


def test_a_note_is_whole_although_its_date_was_killed(tmp_path: Path) -> None:
    """A load that is told to end gets its signal together with its children."""
    date, file = tmp_path / "date", tmp_path / "journal"
    date.write_text(DATE, "ascii")
    date.chmod(0o755)
    slot = {"SLOT_LOAD": "l", "SLOT_NODE": "n", "SLOT_LEASE": "n-slot-0", "SLOT_FENCING_TOKEN": "7"}
    path = {"PATH": f"{tmp_path}:/usr/bin:/bin", "DEMO_JOURNAL": str(file)}
    subprocess.run(["/bin/sh", "-c", SCRIPT, "load", "0"], env={**slot, **path}, check=True)
    notes = Journal(file).read()
    assert [(note.kind, note.at) for note in notes] == [("start", 1.5), ("end", 1.5)]
