"""Subjects that the same number of bare writers stand beside."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING

from tests.bench.account import per_operation
from tests.bench.rig import BARE

if TYPE_CHECKING:
    from tests.bench.rig import Rig
    from tests.bench.scenario import Size, Subject
    from tests.bench.served import Served

AT_ONCE = 32
"""Writes under way at a time, on all sides."""
BARE_PUTS, OURS = "bare PUTs", "node-slots"
UNTRACKED = "bare PUTs without managedFields"


def beside_bare(
    rig: Rig, served: Served, load: str, nodes: list[str], size: Size
) -> dict[str, Subject]:
    """Bare PUTs, bare PUTs that are not field-tracked, and agents on these nodes, all accounted.

    A short run has no time for the second, which no goal is judged by.
    """
    timing = {"warm_up": size.pick(2.0, 0.5), "seconds": size.pick(8.0, 2.5)}
    bare = partial(rig.load, "bare", concurrency=AT_ONCE, **(timing | {"namespace": BARE}))
    ours = partial(rig.load, load, url=served.url, nodes=nodes, slots=1, **timing)
    runs = {BARE_PUTS: bare, UNTRACKED: partial(bare, untracked=True), OURS: ours}
    if size.smoke:
        del runs[UNTRACKED]
    return {name: partial(per_operation, rig, served, run) for name, run in runs.items()}
