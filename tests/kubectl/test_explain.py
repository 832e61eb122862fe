"""`kubectl node-slots node` and `explain`."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
import yaml

from coordinator.kubectl import exits

if TYPE_CHECKING:
    from tests.kubectl.stand import Stand


async def test_a_node_is_told_with_its_sentence_its_slots_and_its_queue(busy: Stand) -> None:
    told = await busy.run("node", "worker-2")
    assert told.code == exits.OK
    assert told.lines[0].startswith("2 of 2 slots of worker-2 are held")
    words = [line.split() for line in told.lines]
    assert ["Limit:", "2", "(globalConfig)"] in words
    (slot,) = (line for line in words if line[-1:] == ["worker-2-slot-1"])
    assert slot[:4] == ["1", "held", "nightly/pvc-1", "velero/pod-1"]
    assert [line[-1] for line in words[-2:]] == ["c2", "c3"]


async def test_a_node_as_data_is_what_the_coordinator_says(busy: Stand) -> None:
    told = (await busy.run("node", "worker-2", "-o", "json")).json
    assert [one["claim"] for one in told["queue"]] == ["c2", "c3"]
    assert told["why"]["code"] == "slots-held"
    names = (await busy.run("node", "worker-2", "-o", "name")).lines
    assert names == [f"lease.coordination.k8s.io/worker-2-slot-{n}" for n in range(2)]


async def test_a_node_that_is_not_there_is_told(busy: Stand) -> None:
    told = await busy.run("node", "worker-9")
    assert (told.code, told.out) == (exits.WRONG, "")
    assert "no node worker-9" in told.err


async def test_without_a_coordinator_a_node_has_its_slots_and_no_queue(alone: Stand) -> None:
    async with alone.serving():
        await alone.ask("worker-2", "c0", load="nightly", pod="pod-0")
    told = await alone.run("node", "worker-2")
    assert told.code == exits.OK
    assert "no coordinator answered" in told.err
    words = [line.split() for line in told.lines]
    assert ["Waiting:", "<unknown>"] in words
    assert words[-1][:4] == ["0", "held", "nightly", "velero/pod-0"]


@pytest.mark.parametrize(
    "name", ["c3", "pod-3", "velero/pod-3", "nightly/pvc-3"], ids=["claim", "pod", "ns/pod", "load"]
)
async def test_a_waiting_claim_is_found_by_every_name_it_has(busy: Stand, name: str) -> None:
    told = await busy.run("explain", name)
    assert told.code == exits.OK
    assert told.lines[0].startswith("nightly/pvc-3 waits on worker-2")
    assert ["Position:", "2", "of", "2"] in [line.split() for line in told.lines]


async def test_a_holder_is_found_by_its_lease(busy: Stand) -> None:
    told = await busy.run("explain", "worker-2-slot-1")
    assert told.lines[0].startswith("nightly/pvc-1 holds slot 1 of worker-2")


async def test_a_node_is_explained_like_a_node(busy: Stand) -> None:
    told = await busy.run("explain", "worker-2")
    assert told.lines[0].startswith("2 of 2 slots of worker-2 are held")


async def test_a_node_goes_before_a_load_of_the_same_name(busy: Stand) -> None:
    await busy.ask("worker-3", "x1", load="worker-2")
    assert (await busy.run("explain", "worker-2", "-o", "name")).lines == ["node/worker-2"]


async def test_as_data_an_explanation_is_the_claim_with_its_why(busy: Stand) -> None:
    as_json = (await busy.run("explain", "c3", "-o", "json")).json
    assert (as_json["node"], as_json["why"]["code"]) == ("worker-2", "slots-held")
    as_yaml = yaml.safe_load((await busy.run("explain", "c3", "-o", "yaml")).out)
    assert as_yaml["why"]["position"] == as_json["why"]["position"] == 2
    assert (await busy.run("explain", "c3", "-o", "name")).lines == ["claim/c3"]


async def test_a_name_of_several_claims_lists_them(busy: Stand) -> None:
    for claim in ("twin-1", "twin-2"):
        await busy.ask("worker-1", claim, load="twins")
    told = await busy.run("explain", "twins")
    assert told.code == exits.WRONG
    assert [line.split()[0] for line in told.lines] == ["CLAIM", "twin-1", "twin-2"]
    assert "stands for 2 claims" in told.err
    names = await busy.run("explain", "twins", "-o", "name")
    assert names.lines == ["claim/twin-1", "claim/twin-2"]


@pytest.mark.parametrize("name", ["nobody", "a/b/c", "x" * 300, "ünknown", "..", "a b"])
async def test_a_name_that_nothing_has_is_told_whatever_it_looks_like(
    busy: Stand, name: str
) -> None:
    told = await busy.run("explain", name)
    assert (told.code, told.out) == (exits.WRONG, "")
    assert "no node, claim, Pod, load or Lease" in told.err


async def test_without_a_coordinator_nobody_knows_who_waits(alone: Stand) -> None:
    told = await alone.run("explain", "c3")
    assert (told.code, told.out) == (exits.NO_COORDINATOR, "")
