"""`python -m tests.velero.build`: makes all that the tier needs, once, in the user's cache.

Ends with 0 also where the machine cannot run it, after one loud line; with
NODESLOTS_REQUIRE_KUBELET=1 that is a failure.
"""

from __future__ import annotations

import sys

from tests.kubelet import build as node
from tests.kubelet import packages, tier
from tests.realserver.build import BuildError, build
from tests.realserver.toolchain import NoGoError
from tests.tools import debian
from tests.velero import moto, network
from tests.velero.programs import VELERO

TITLE = VELERO.title


def main() -> int:
    """Makes sure that everything is there; what comes back is the exit code."""
    return tier.prepare(TITLE, VELERO.folder, _made)


def _made() -> str | None:
    """Builds and fetches; why that cannot be, or None."""
    if why := node.made() or network.hindrance():
        return why
    try:
        debian.unpacked(packages.NETWORK)
        moto.program()
        build(VELERO)
    except (BuildError, NoGoError, debian.NoPackageError, moto.NoServerError) as error:
        return str(error)
    return None


def hindrance() -> str | None:
    """Why the tier cannot run now, or None."""
    if why := node.hindrance() or network.hindrance():
        return why
    return None if VELERO.find() else "not built (make e2e-velero builds it)"


if __name__ == "__main__":
    sys.exit(main())
