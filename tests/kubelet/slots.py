"""What a slot's Lease says, as `kubectl get leases --output=json` has it."""

from __future__ import annotations

from typing import Any

_SLOT = "-slot-"


def is_held_slot(lease: Any) -> bool:
    """Whether it is a slot's, and somebody has the slot."""
    return _SLOT in lease["metadata"]["name"] and bool(lease["spec"].get("holderIdentity"))


def holder_of(lease: Any) -> tuple[str, str]:
    """Who has it, and the fencing token of this grant."""
    token = lease["metadata"]["annotations"]["nodeslots.io/fencing-token"]
    return lease["spec"]["holderIdentity"], token
