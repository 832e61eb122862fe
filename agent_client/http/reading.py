"""What of a head both sides read."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import h11


def joined(head: h11.Request | h11.Response) -> dict[str, str]:
    """The headers by their lower-case names; of one that stands twice, the values by a comma."""
    headers: dict[str, str] = {}
    for raw_name, raw_value in head.headers:
        name, value = raw_name.decode("ascii"), raw_value.decode("latin-1")
        headers[name] = f"{headers[name]}, {value}" if name in headers else value
    return headers
