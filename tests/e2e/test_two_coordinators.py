"""Two coordinators lead at once, election left out: compare-and-swap alone keeps P3 and P5.

The judge looks at what clients saw, not at the Leases. That it can see is shown with bugs planted
into the PUTs:

- An older decision with the newest resourceVersion gives one slot to two clients at once.
- Without any resourceVersion the API server refuses the PUT itself, so nobody gets a slot.
- Without the uid a late PUT onto a Lease that was deleted meanwhile makes it again, with a token
  older than ones that clients have been answered with. Two holders at once cannot come of it as
  long as only free Leases are deleted: a Lease that is held exists, and onto an existing one the
  resourceVersion alone refuses the late PUT. So the order of tokens is what shows it, and a
  resource that checks tokens would refuse that client.
"""

from __future__ import annotations

import logging
import os
import sys
import time
from typing import TYPE_CHECKING

import pytest
import structlog

from coordinator.embedded.server import start
from coordinator.embedded.store import Store
from coordinator.kube.credentials import OpenAccess, load_kubeconfig
from tests.e2e import seasoning
from tests.e2e.hammer import MOST, Ground, Hammer
from tests.e2e.holds import Hold, judge, overtaken
from tests.e2e.installation import Installation

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Iterator
    from pathlib import Path

    from tests.e2e.seasoning import Bug

SECONDS = float(os.environ.get("NODESLOTS_HAMMER_SECONDS", "60"))
SHORT = 6.0
"""Seconds of the run on the embedded server."""
PATIENCE = 60.0
"""Seconds after which a planted bug counts as not seen; it takes one or two. On a machine that
stands still for a while, a run may last so much longer until there is enough to judge.
"""
REAL = pytest.param("real", marks=pytest.mark.real)
REAL_AND_LONG = pytest.param(
    "real", marks=[pytest.mark.real, pytest.mark.slow, pytest.mark.timeout(2 * SECONDS + 120)]
)


@pytest.fixture(autouse=True)
def _quiet() -> Iterator[None]:
    """Thousands of log lines would be the larger part of the work."""
    quiet = structlog.make_filtering_bound_logger(logging.CRITICAL)
    structlog.configure(wrapper_class=quiet)
    yield
    structlog.reset_defaults()


@pytest.fixture
async def ground(request: pytest.FixtureRequest, tmp_path: Path) -> AsyncIterator[Ground]:
    """On the real server the coordinators have the manifests' rights."""
    if request.param == "real":
        cluster = request.getfixturevalue("cluster")
        installation = Installation(cluster)
        installation.apply()
        hand = await load_kubeconfig(str(cluster.server.kubeconfig))
        rights = await load_kubeconfig(str(installation.kubeconfig(tmp_path)))
        yield Ground(hand, rights, cluster.namespace)
        return
    server = await start(Store())
    yield Ground(OpenAccess(server.url), OpenAccess(server.url))
    await server.stop()


def tell(capsys: pytest.CaptureFixture[str], figures: str) -> None:
    """Shows the figures although output is captured: they are the point of the run."""
    with capsys.disabled():
        sys.stdout.write(f"\nhammer: {figures}\n")


@pytest.mark.parametrize("ground", ["embedded", REAL_AND_LONG], indirect=True)
async def test_no_slot_is_held_twice_and_tokens_grow_while_two_coordinators_lead(
    ground: Ground, capsys: pytest.CaptureFixture[str]
) -> None:
    seconds = SHORT if isinstance(ground.hand, OpenAccess) else SECONDS
    over = time.monotonic() + seconds

    def has_shown_enough(hammer: Hammer) -> bool:
        kinds = hammer.figures.kinds
        much = len(hammer.holds) > 50 and hammer.conflicts > 5 and kinds["hand-overs"] > 5
        return much and time.monotonic() > over

    async with Hammer(ground) as hammer:
        await hammer.run(seconds + PATIENCE, stop=has_shown_enough)
        tell(capsys, f"{seconds:g} s: {hammer.figure_line()}")
        assert not judge(hammer.holds, MOST)
        assert await hammer.everything_free()
    assert has_shown_enough(hammer), hammer.figure_line()


@pytest.mark.parametrize("ground", ["embedded", REAL], indirect=True)
@pytest.mark.parametrize(
    ("bug", "seen", "longest"),
    [  # the first is seen while somebody holds a slot, the second where slots are free
        (seasoning.newest_version, "two holders at once", 0.5),
        (seasoning.without_uid, "the fencing token did not grow", 0.03),
    ],
)
async def test_a_put_that_leaves_out_what_it_was_made_from_is_seen_by_the_clients(
    ground: Ground, bug: Bug, seen: str, longest: float, capsys: pytest.CaptureFixture[str]
) -> None:
    def has_seen(hammer: Hammer) -> bool:
        return any(fault.startswith(seen) for fault in judge(hammer.holds, MOST))

    async with Hammer(ground, bug=bug, longest=longest) as hammer:
        await hammer.run(PATIENCE, stop=has_seen)
        tell(capsys, f"{bug.__name__}: {hammer.figure_line()}")
    assert has_seen(hammer)


@pytest.mark.parametrize("ground", ["embedded", REAL], indirect=True)
async def test_a_put_without_resource_version_gets_nobody_a_slot(ground: Ground) -> None:
    def has_refused(hammer: Hammer) -> bool:
        return hammer.refusals > 5

    # Without doubt: a doubtful write is repeated until it stands or is beaten, and these never are.
    certain = seasoning.Seasoning(late=0, lost=0)
    async with Hammer(ground, certain, bug=seasoning.without_version) as hammer:
        await hammer.run(PATIENCE, stop=has_refused)
    assert has_refused(hammer)
    assert not hammer.holds


def test_the_judge_accepts_slots_that_follow_each_other() -> None:
    holds = [Hold("n", "n-slot-0", at, f"c{at}", at, at + 1.0) for at in range(5)]
    assert not judge(holds, 1)


@pytest.mark.parametrize(
    ("holds", "fault"),
    [
        (
            [Hold("n", "s0", 1, "a", 0, 2), Hold("n", "s0", 2, "b", 1.9, 3)],
            "two holders at once",
        ),
        (
            [Hold("n", "s0", 2, "a", 0, 1), Hold("n", "s0", 2, "b", 1.1, 2)],
            "the fencing token did not grow",
        ),
        (
            [Hold("n", "s0", 1, "a", 0, 5), Hold("n", "s1", 2, "b", 1, 5)],
            "2 holders on n",
        ),
        (
            [
                Hold("n", "s0", 1, "a", 0, 9),
                Hold("n", "s0", 2, "b", 1, 2),
                Hold("n", "s0", 3, "c", 3, 4),
            ],
            "two holders at once: Hold(node='n', lease='s0', token=1, claim='a'",
        ),
    ],
)
def test_the_judge_finds_what_may_not_be(holds: list[Hold], fault: str) -> None:
    found = judge(holds, 1)
    assert any(one.startswith(fault) for one in found), found


def test_only_who_gets_a_slot_that_came_free_after_a_later_ones_grant_was_overtaken() -> None:
    first, second = Hold("n", "s0", 1, "a", 0, 1), Hold("n", "s1", 2, "b", 0, 5)
    early, late = Hold("n", "s0", 3, "c", 2.2, 9), Hold("n", "s1", 4, "d", 6, 9)
    assert overtaken([first, second, early, late]) == []
    assert overtaken([second, first, early, late]) == [], "both slots were free at once"
    assert overtaken([first, second, late, early]) == ["d"]
