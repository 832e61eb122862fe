"""Mistakes in what is written to a Lease, and in what an answer to a write is taken for."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import orjson

from coordinator.kube import answers, errors, leases, records
from coordinator.service import operations
from coordinator.service.gate import Gate
from coordinator.service.writer import Writer
from tests.core import planted as core
from tests.core import planted_headroom

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    from coordinator.core.model import Lease
    from tests.simulation.planted.bug import Patch


def _reading(patch: Patch, change: Callable[[Lease], Lease]) -> None:
    """Every Lease is read in this other way."""
    real = records.parse
    for module in (records, leases):
        patch.setattr(module, "parse", lambda obj: change(real(obj)))


def put_without_uid(patch: Patch) -> None:
    """A PUT carries the resourceVersion only: onto a deleted Lease it makes a new one."""
    patch.setattr(
        records,
        "_identity",
        lambda base: {"name": base.name, "resourceVersion": str(base.version)},
    )


def delete_by_uid_only(patch: Patch) -> None:
    """A DELETE names the Lease's uid, but not the state in which it was seen to be free."""

    def render(base: Lease) -> bytes:
        conditions = {"uid": base.uid}
        head = {"apiVersion": "v1", "kind": "DeleteOptions"}
        return orjson.dumps({**head, "preconditions": conditions})

    patch.setattr(leases, "render_delete", render)


def server_errors_are_failures(patch: Patch) -> None:
    """A 500, 503 or 504 is taken for "it was not written"."""
    for status in (500, 503, 504):
        patch.setitem(answers._DEFINITE, status, errors.Refused)


def token_is_the_current_version(patch: Patch) -> None:
    """The fencing token is the Lease's own resourceVersion, which each write of it changes."""

    def change(lease: Lease) -> Lease:
        holder = lease.holder and replace(lease.holder, token=lease.version)
        return replace(lease, holder=holder)

    _reading(patch, change)


def token_counts_grants(patch: Patch) -> None:
    """The fencing token is the number of grants, which begins anew with each new Lease."""
    real = records.render_grant

    def render(base: Lease, *rest: str) -> bytes:
        body = orjson.loads(real(base, *rest))  # type: ignore[arg-type]
        body["metadata"]["annotations"][records.PREFIX + "fencing-token"] = str(base.transitions)
        return orjson.dumps(body)

    patch.setattr(records, "render_grant", render)


def foreign_leases_are_taken_over(patch: Patch) -> None:
    """A Lease of somebody else under a slot's name counts as a free one of ours."""

    def change(lease: Lease) -> Lease:
        return replace(lease, foreign="", holder=None) if lease.foreign else lease

    _reading(patch, change)


def terminating_leases_are_used(patch: Patch) -> None:
    """A Lease that is being deleted is granted and handed over like any other."""
    _reading(patch, lambda lease: replace(lease, terminating=False))


def repeats_are_rendered_anew(patch: Patch) -> None:
    """A write of unknown outcome is repeated with other bytes: with the time of day as it is."""
    patch.setattr(Writer, "_body", Writer._render)


def repeats_know_no_gate(patch: Patch) -> None:
    """Each write is sent and repeated for itself, however the last one ended."""

    async def run(gate: Gate, request: Callable[[], Awaitable[object]]) -> object:
        return await request()

    patch.setattr(Gate, "run", run)


def decided_is_sent(patch: Patch) -> None:
    """A grant that waited at the closed gate is sent without a second look at what has changed."""
    patch.setattr(operations, "stands_by", lambda table, op, now: True)


ALL = (
    put_without_uid,
    delete_by_uid_only,
    server_errors_are_failures,
    core.unknown_is_failure,
    core.failed_after_unknown_is_failure,
    core.reading_is_proof,
    core.conflict_is_loss,
    token_is_the_current_version,
    token_counts_grants,
    foreign_leases_are_taken_over,
    terminating_leases_are_used,
    repeats_are_rendered_anew,
    repeats_know_no_gate,
    decided_is_sent,
    core.unknown_writes_are_free,
    planted_headroom.headroom_counts_no_writes,
    planted_headroom.headroom_is_shown_only,
    core.foreign_leases_are_free,
)
