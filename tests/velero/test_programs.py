"""What `slot-coordinator` says of this Velero to whoever looks."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import pytest

from tests.velero.programs import VERSION
from tests.velero.site import NODE

if TYPE_CHECKING:
    from tests.velero.site import Site

pytestmark = pytest.mark.velero


def test_velero_check_finds_it_ready_and_governed(site: Site) -> None:
    site.limit(2)
    found = json.loads(site.program("velero", "check", "--output=json"))["findings"]
    assert not [one for one in found if one["level"] == "error"]
    said = " ".join(one["text"] for one in found)
    assert VERSION.removeprefix("v") in said
    assert "MutatingAdmissionPolicy" in said


def test_observe_shows_the_nodes_limit_and_where_it_comes_from(site: Site) -> None:
    site.limit(2)
    own = json.loads(site.program("observe", "--limits=cm/node-slots", "--output=json"))
    (node,) = own["nodes"]
    assert (node["name"], node["limit"], node["over"]) == (NODE, 2, 0)
    assert own["velero"] == VERSION
    veleros = json.loads(site.program("observe", "--output=json"))
    assert [one["limit"] for one in veleros["nodes"]] == [1000]
