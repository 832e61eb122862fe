"""`python -m tests.kubelet.build`: makes all that the tier needs, once, in the user's cache.

Ends with 0 also where the machine cannot run a node, after one loud line; with
NODESLOTS_REQUIRE_KUBELET=1 that is a failure.
"""

from __future__ import annotations

import sys

from tests.kubelet import machine, packages, programs, tier
from tests.realserver import binaries
from tests.realserver.build import BuildError, build
from tests.realserver.toolchain import NoGoError
from tests.tools import debian

TITLE = programs.KUBERNETES.title


def main() -> int:
    """Makes sure that everything is there; what comes back is the exit code."""
    return tier.prepare(TITLE, programs.KUBERNETES.folder, made)


def made() -> str | None:
    """Builds and fetches; why that cannot be, or None."""
    if why := machine.hindrance():
        return why
    try:
        if binaries.find() is None:
            build(binaries.server())
        build(programs.KUBERNETES)
        programs.pause()
        debian.unpacked(packages.RUNTIME)
        debian.unpacked(packages.USERLAND)
    except (BuildError, NoGoError, debian.NoPackageError) as error:
        return str(error)
    return None


def hindrance() -> str | None:
    """Why the tier cannot run now, or None."""
    if why := machine.hindrance():
        return why
    if binaries.find() is None or programs.KUBERNETES.find() is None:
        return "not built (make e2e-kubelet builds it)"
    return None


if __name__ == "__main__":
    sys.exit(main())
