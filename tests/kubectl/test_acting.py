"""`release`, `hold`, `unhold` and `check`: what changes, what is asked, what is only said."""

from __future__ import annotations

import asyncio
import json
from typing import TYPE_CHECKING

import pytest

from coordinator.embedded.resources import LEASES
from coordinator.kubectl import exits, release
from tests.e2e.waiting import DEADLINE
from tests.kubectl.stand import NS, eventually, limits

if TYPE_CHECKING:
    from pathlib import Path

    from tests.kubectl.stand import Stand

LEASE = "worker-2-slot-0"


@pytest.fixture
def answered(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """Standard input is a terminal, on which these lines are typed."""
    typed: list[str] = []

    class Terminal:
        def isatty(self) -> bool:
            return True

        def readline(self) -> str:
            return typed.pop(0)

    class System:
        stdin = Terminal()

        def __getattr__(self, name: str) -> object:
            import sys

            return getattr(sys, name)

    monkeypatch.setattr(release, "sys", System())
    return typed


async def test_without_a_terminal_and_without_yes_nothing_is_released(busy: Stand) -> None:
    told = await busy.run("release", LEASE)
    assert told.code == exits.USAGE
    assert "--yes says that it is meant" in told.err
    assert busy.holders()[LEASE] == "pod-0/nightly/pvc-0"


@pytest.mark.parametrize("answer", ["n\n", "\n", "", "yes please\n"])
async def test_whoever_does_not_say_yes_releases_nothing(
    busy: Stand, answered: list[str], answer: str
) -> None:
    answered.append(answer)
    told = await busy.run("release", LEASE)
    assert told.code == exits.WRONG
    assert "nothing was done" in told.err
    assert busy.holders()[LEASE] == "pod-0/nightly/pvc-0"


async def test_the_question_shows_the_holder_its_pod_and_who_is_next(
    busy: Stand, answered: list[str]
) -> None:
    answered.append("y\n")
    told = await busy.run("release", LEASE)
    for words in ("nightly/pvc-0", "velero/pod-0", "c0", "is not stopped", "pvc-2 (velero/pod-2)"):
        assert words in told.err, words
    assert told.out == f"{LEASE} released by the coordinator\n"


async def test_yes_releases_by_the_coordinator_and_the_next_one_has_it(busy: Stand) -> None:
    told = await busy.run("release", LEASE, "--yes")
    assert (told.code, told.out) == (exits.OK, f"{LEASE} released by the coordinator\n")
    await eventually(lambda: busy.holders().get(LEASE) == "pod-2/nightly/pvc-2", "handed over")


async def test_without_a_coordinator_the_lease_is_deleted_and_that_is_said(alone: Stand) -> None:
    async with alone.serving():
        await alone.ask("worker-2", "c0", pod="pod-0")
    told = await alone.run("release", LEASE, "--yes")
    assert (told.code, told.out) == (exits.OK, f"{LEASE} released: its Lease was deleted\n")
    assert alone.holders() == {}


async def test_a_lease_that_changed_since_it_was_shown_is_not_deleted(
    alone: Stand, answered: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    async with alone.serving():
        await alone.ask("worker-2", "c0")
    answered.append("y\n")
    asks = release._ask

    def meanwhile(name: str, *, yes: bool) -> None:
        alone.store.patch(LEASES, NS, name, {"metadata": {"annotations": {"x": "y"}}})
        asks(name, yes=yes)

    monkeypatch.setattr(release, "_ask", meanwhile)
    told = await alone.run("release", LEASE)
    assert told.code == exits.WRONG
    assert "is not what it was when you looked" in told.err
    assert alone.holders() == {LEASE: "c0"}


async def test_a_slot_that_went_on_meanwhile_is_left_to_its_next_holder(
    busy: Stand, answered: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    answered.append("y\n")
    loop, asks = asyncio.get_running_loop(), release._ask
    assert busy.coordinator is not None
    leave = busy.coordinator.pool(NS).leave

    def meanwhile(name: str, *, yes: bool) -> None:
        asyncio.run_coroutine_threadsafe(leave("worker-2", "c0", DEADLINE), loop).result()
        asks(name, yes=yes)

    monkeypatch.setattr(release, "_ask", meanwhile)
    told = await busy.run("release", LEASE)
    assert told.code == exits.WRONG
    assert "is not what it was when you looked" in told.err
    assert busy.holders()[LEASE] == "pod-2/nightly/pvc-2"


@pytest.mark.parametrize("name", ["", "a/b", "..", "."])
async def test_what_can_be_no_name_is_wrong_usage(name: str, alone: Stand) -> None:
    hold = ("hold", "worker-1", name, "--reason", "x")
    for words in (hold, ("unhold", name), ("release", name, "--yes")):
        told = await alone.run(*words)
        assert (told.code, "no name of" in told.err) == (exits.USAGE, True), words
    assert (await alone.run()).row("worker-1")[1] == "Free"


async def test_what_is_free_or_no_slot_or_not_there_is_not_released(busy: Stand) -> None:
    await busy.run("release", "worker-3-slot-0", "--yes")
    await eventually(lambda: "worker-3-slot-0" not in busy.holders(), "free")
    free = await busy.run("release", "worker-3-slot-0", "--yes")
    assert (free.code, free.out) == (exits.OK, "worker-3-slot-0 is free already\n")
    lease = {"apiVersion": "coordination.k8s.io/v1", "kind": "Lease"}
    stranger = lease | {"metadata": {"name": "election"}, "spec": {"holderIdentity": "x"}}
    busy.store.create(LEASES, NS, stranger)
    foreign = await busy.run("release", "election", "--yes")
    assert foreign.code == exits.WRONG
    assert "is no slot" in foreign.err
    missing = await busy.run("release", "worker-9-slot-0", "--yes")
    assert missing.code == exits.WRONG
    assert "has no Lease worker-9-slot-0" in missing.err
    assert busy.holders()["election"] == "x"


async def test_the_name_that_node_prints_is_taken_too(busy: Stand) -> None:
    name = (await busy.run("node", "worker-2", "-o", "name")).lines[0]
    assert (await busy.run("release", name, "--yes")).code == exits.OK


# --- hold -----------------------------------------------------------------------------------------


async def test_a_held_node_grants_nothing_until_it_is_let_go(served: Stand) -> None:
    assert (await served.run("hold", "worker-1", "--reason", "new disk")).code == exits.OK
    await served.on_hold("worker-1")
    await served.ask("worker-1", "c1", waits=True)
    explained = await served.run("explain", "c1")
    assert "new disk" in explained.lines[0]
    assert served.holders() == {}
    told = await served.run("unhold", "worker-1")
    assert told.out == "node/worker-1 grants again\n"
    await eventually(lambda: served.holders() == {"worker-1-slot-0": "c1"}, "granted")


async def test_hold_needs_no_coordinator(alone: Stand) -> None:
    await alone.run("hold", "worker-1", "worker-2", "--reason", "x")
    told = await alone.run()
    assert told.row("worker-1")[1] == "Free,OnHold"
    assert told.row("worker-3")[1] == "Free"


async def test_hold_says_which_node_is_not_there(alone: Stand) -> None:
    told = await alone.run("hold", "worker-9", "--reason", "x")
    assert told.code == exits.WRONG
    assert "worker-9" in told.err


@pytest.mark.parametrize("words", [(), ("--reason", ""), ("--reason", "  ")])
async def test_hold_needs_a_reason(alone: Stand, words: tuple[str, ...]) -> None:
    assert (await alone.run("hold", "worker-1", *words)).code == exits.USAGE


# --- check ----------------------------------------------------------------------------------------


@pytest.fixture
def file(tmp_path: Path) -> Path:
    return written(tmp_path / "limits.json", limits(1, fast=3, gold=7))


def written(file: Path, text: str) -> Path:
    file.write_text(text)
    return file


async def test_check_tells_which_nodes_change_and_who_would_be_over(
    busy: Stand, file: Path
) -> None:
    told = await busy.run("check", "-f", str(file))
    assert told.code == exits.OK
    assert "accepted; limits of 2 of 3 nodes change; 1 holder on 1 node would be over" in told.out
    assert told.row("worker-2") == ["worker-2", "2", "1", "2", "1", "globalConfig"]
    assert "perNodeConfig[1] tier=gold matches no node" in told.out
    assert [line for line in told.lines if line.startswith("worker-1")] == []


async def test_check_changes_nothing(busy: Stand, file: Path) -> None:
    await busy.run("check", "-f", str(file))
    assert (await busy.run()).row("worker-2")[2] == "2"


async def test_with_strict_a_rule_that_matches_nothing_is_an_error(busy: Stand, file: Path) -> None:
    assert (await busy.run("check", "-f", str(file), "--strict")).code == exits.WRONG
    written(file, limits(2, fast=3))
    clean = await busy.run("check", "-f", str(file), "--strict")
    assert clean.code == exits.OK
    assert "no limit of 3 nodes changes" in clean.out


async def test_check_takes_a_manifest_in_yaml_from_standard_input(busy: Stand) -> None:
    manifest = "kind: ConfigMap\nmetadata: {name: x}\ndata:\n  any: |\n    " + limits(1) + "\n"
    told = await busy.run("check", "-f", "-", "-o", "json", stdin=manifest)
    assert told.code == exits.OK
    assert told.json["changedCount"] == 3
    assert told.json["overLimit"] == {"nodes": 1, "holders": 1}


async def test_a_refused_file_is_told_without_a_coordinator(alone: Stand, file: Path) -> None:
    written(file, '{"loadConcurrency": {"globalConfig": "two"}}')
    told = await alone.run("check", "-f", str(file))
    assert told.code == exits.WRONG
    assert "refused" in told.lines[0]
    assert "loadConcurrency.globalConfig" in told.lines[1]
    as_data = await alone.run("check", "-f", str(file), "-o", "json")
    assert (as_data.json["accepted"], as_data.code) == (False, exits.WRONG)


async def test_without_a_coordinator_a_good_file_is_read_and_the_rest_is_said_to_be_missing(
    alone: Stand, file: Path
) -> None:
    told = await alone.run("check", "-f", str(file))
    assert told.code == exits.NO_COORDINATOR
    assert "accepted; 2 rules, else 1 (globalConfig)" in told.out
    assert "not held against the cluster" in told.err


async def test_a_file_that_is_not_there_is_told(alone: Stand) -> None:
    told = await alone.run("check", "-f", "/nowhere/limits.json")
    assert told.code == exits.USAGE
    assert "/nowhere/limits.json" in told.err


async def test_versions_are_told_with_and_without_a_coordinator(alone: Stand) -> None:
    async with alone.serving():
        both = await alone.run("version", "-o", "json")
    assert both.json["plugin"] == both.json["coordinator"]
    lonely = await alone.run("version")
    assert (lonely.code, len(lonely.lines)) == (exits.OK, 1)
    assert "no coordinator answered" in lonely.err
    assert json.loads((await alone.run("version", "--client", "-o", "json")).out)["plugin"]
