"""Names of slots: `<node>-slot-<ordinal>`, at most 253 characters (a DNS subdomain, RFC 1123)."""

from __future__ import annotations

import hashlib
import re

MAX_NAME = 253
_NAME = re.compile(r"(?P<stem>.+)-slot-(?P<ordinal>0|[1-9][0-9]{0,8})", re.ASCII)


def lease_name(node: str, ordinal: int) -> str:
    """The name of the Lease of slot `ordinal` on `node`.

    Where the plain name is too long the *node name* is cut, not ending in `.` or `-`, and a hash
    of the whole node name follows it, so that two long names stay apart.
    """
    suffix = f"-slot-{ordinal}"
    if len(node) + len(suffix) <= MAX_NAME:
        return node + suffix
    digest = hashlib.sha256(node.encode()).hexdigest()[:10]
    cut = node[: MAX_NAME - len(suffix) - len(digest) - 1].rstrip(".-")
    return f"{cut}-{digest}{suffix}"


def split_lease_name(name: str) -> tuple[str, int] | None:
    """`(stem, ordinal)` of a name that has the form of a slot's, else None.

    The stem is the node's name, or its cut form: `lease_name(node, ordinal) == name` decides.
    """
    found = _NAME.fullmatch(name)
    return (found["stem"], int(found["ordinal"])) if found else None
