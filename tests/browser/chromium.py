"""A headless Chromium: Debian's package with all its libraries and fonts, from the cache.

It is unpacked, not installed, so it needs no root and leaves the machine alone. NODESLOTS_CHROMIUM
names another one. One that is merely on the PATH is not taken: pictures and findings should not
depend on the machine. `python -m tests.browser.chromium` fetches it and says where it is.
"""

from __future__ import annotations

import os
import subprocess
import sys
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

from tests.realserver.programs import cache_root
from tests.realserver.report import fail_or_skip, say
from tests.tools import debian
from tests.tools.debian import NoPackageError

if TYPE_CHECKING:
    from collections.abc import Mapping

    from playwright.async_api import Browser, Playwright

TITLE = "Chromium"
VARIABLE = "NODESLOTS_CHROMIUM"
PACKAGES = ("chromium-headless-shell", "fonts-dejavu-core", "fonts-liberation")
"""The engine without a desktop's toolkit: what Playwright starts too for a headless Chromium."""
FONTS = Path(__file__).with_name("fonts.conf")
QUIET = (
    # No graphics card, no second disk for shared memory, and nothing that calls home.
    *("--disable-gpu", "--disable-quic", "--no-first-run", "--disable-component-update"),
    *("--disable-background-networking", "--disable-sync", "--disable-domain-reliability"),
    *("--disable-dev-shm-usage", "--no-proxy-server", "--font-render-hinting=none"),
    "--host-resolver-rules=MAP * ~NOTFOUND, EXCLUDE 127.0.0.1",
)


@dataclass(frozen=True)
class Chromium:
    """How the browser is started."""

    program: Path
    environment: Mapping[str, str] = field(default_factory=dict)
    """Variables besides those of this process."""

    async def launch(self, playwright: Playwright) -> Browser:
        """Starts it, without a window."""
        return await playwright.chromium.launch(
            executable_path=self.program, args=self.flags, env={**os.environ, **self.environment}
        )

    @property
    def flags(self) -> list[str]:
        """Its sandbox needs namespaces of its own, and refuses to be root's."""
        return [*QUIET, *([] if _has_namespaces() else ["--no-sandbox"])]


def find() -> Chromium | None:
    """The named one, else that of the cache; None: not fetched yet."""
    if named := os.environ.get(VARIABLE):
        return Chromium(Path(named))
    tree = debian.found(PACKAGES, complete=True)
    return None if tree is None else _unpacked(tree)


def ensure() -> int:
    """Makes sure that one is there, and says it; what comes back is the exit code.

    Not to be had: a loud line, and 1 only with NODESLOTS_REQUIRE_REAL=1.
    """
    try:
        made = find() or _unpacked(debian.unpacked(PACKAGES, complete=True))
    except (NoPackageError, OSError) as error:
        return fail_or_skip(_advice(error), TITLE)
    if not os.access(made.program, os.X_OK):
        return fail_or_skip(f"{made.program} is no program ({VARIABLE})", TITLE)
    say(f"== {TITLE}: ready in {made.program}")
    return 0


def _advice(error: Exception) -> str:
    """Ubuntu's chromium is a snap, which apt-get cannot unpack; other systems have no apt-get."""
    said = str(error).splitlines()[-1] if str(error) else type(error).__name__
    return f"{said} (no Debian? name one that you have: {VARIABLE}=/path/to/chromium)"


def _unpacked(tree: Path) -> Chromium:
    folders = [*tree.glob("usr/lib/*-linux-gnu"), *tree.glob("lib/*-linux-gnu")]
    folders += tree.glob("usr/lib/*-linux-gnu/pulseaudio")
    return Chromium(
        tree / "usr/lib/chromium/chromium-headless-shell",
        {
            "LD_LIBRARY_PATH": ":".join(str(folder) for folder in sorted(folders)),
            "FONTCONFIG_FILE": str(FONTS),
            # Where fonts.conf looks for fonts, and may keep what it found.
            "XDG_DATA_HOME": str(tree / "usr/share"),
            "XDG_CACHE_HOME": str(cache_root()),
        },
    )


def _has_namespaces() -> bool:
    """Whether this user may make a user namespace; root is told to go without."""
    if os.geteuid() == 0:
        return False
    try:
        tried = subprocess.run(["unshare", "--user", "true"], check=False, capture_output=True)
    except OSError:
        return False
    return tried.returncode == 0


if __name__ == "__main__":
    sys.exit(ensure())
