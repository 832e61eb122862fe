"""`python -m tests.tools.build`: makes helm, kustomize and promtool once, into the cache.

With the argument `kyverno` that one alone. It fetches definitions of other projects' kinds too, a
Chromium, a Prometheus and a redis-server.
Ends with 0 also when something cannot be had, after one loud line for each; with
NODESLOTS_REQUIRE_REAL=1 that is a failure.
"""

from __future__ import annotations

import sys

from tests.bench.rivals import redis_server
from tests.browser import chromium
from tests.monitoring import prometheus
from tests.realserver.build import ensure
from tests.tools import definitions
from tests.tools.programs import ALL, KYVERNO


def main() -> int:
    """Makes sure that all are there; what comes back is the exit code."""
    if sys.argv[1:] == ["kyverno"]:
        return ensure(KYVERNO)
    fetched = (chromium.ensure(), prometheus.ensure(), redis_server.ensure(), definitions.ensure())
    return max(*fetched, *map(ensure, ALL))


if __name__ == "__main__":
    sys.exit(main())
