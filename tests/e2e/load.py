"""A load: writes its own start and end into the journal; run by `slot-agent run`.

`python load.py FOLDER SECONDS EXIT`: works until a file `open` or `open-NAME` stands in FOLDER, and
SECONDS more, then exits with EXIT. SIGTERM ends it with 143. A load whose wrapper
died ends at once by itself, so that no test leaves one behind.
"""

from __future__ import annotations

import json
import os
import signal
import sys
import time
from pathlib import Path

TERMINATED = 143


def main() -> None:
    folder, seconds, code = Path(sys.argv[1]), float(sys.argv[2]), int(sys.argv[3])
    name, parent = os.environ["SLOT_LOAD"], os.getppid()

    def write(event: str) -> None:
        told = {key: value for key, value in os.environ.items() if key.startswith("SLOT_")}
        line = json.dumps({"event": event, "load": name, "at": time.monotonic(), **told}) + "\n"
        journal = os.open(folder / "journal", os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o600)
        os.write(journal, line.encode())  # one write: lines of several loads never mix
        os.close(journal)

    def end(*_: object) -> None:
        write("terminated")
        os._exit(TERMINATED)

    signal.signal(signal.SIGTERM, end)
    write("start")
    gates = (folder / "open", folder / f"open-{name}")
    while not any(gate.exists() for gate in gates) and os.getppid() == parent:
        time.sleep(0.01)
    over = time.monotonic() + seconds
    while time.monotonic() < over and os.getppid() == parent:
        time.sleep(min(0.01, seconds))
    signal.signal(signal.SIGTERM, signal.SIG_IGN)
    write("end")
    sys.exit(code)


if __name__ == "__main__":
    main()
