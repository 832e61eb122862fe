"""How an operator puts a node on hold: an annotation, whose text is the reason."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping

HOLD = "nodeslots.io/hold"
"""The annotation of a node that is to get no new grants; who holds, keeps."""


def reason_of(annotations: Mapping[str, str] | None) -> str:
    """Why the node is on hold, from its annotations; "" while it is not."""
    reason = (annotations or {}).get(HOLD)
    return "" if reason is None else reason or "no reason given"
