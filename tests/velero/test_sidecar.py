"""One mover waits behind another: what people see of it, and what its sidecar can reach."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import pytest

from tests.e2e.waiting import until
from tests.velero import injected
from tests.velero.midst import midst

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.velero.movers import Movers
    from tests.velero.site import Site

pytestmark = pytest.mark.velero
ACCOUNT = "/var/run/secrets/kubernetes.io/serviceaccount"
_LOOK = """
import json, os, sys
walk = os.walk("/var/run/secrets")
found = [os.path.join(path, name) for path, _, names in walk for name in names]
print(json.dumps({
    "files": sorted(one for one in found if "/..2" not in one),
    "account": os.listdir(sys.argv[1]),
    "credentials": os.path.exists("/credentials"),
    "environment": sorted(os.environ),
    "user": os.getuid(),
}))
"""
WARNINGS = {"SlotWaiting": "has been waiting for a slot", "PrepareTimeoutNear": "prepare timeout"}


@pytest.fixture(scope="module")
def movers(whole_site: Site) -> Iterator[Movers]:
    """Of a backup of two volumes, one after the other, which goes on after these tests."""
    with midst(whole_site, "pair", 1, pods=1, volumes=2) as found:
        yield found
    assert whole_site.velero.wait("backup", "pair") == "Completed"
    whole_site.clear()


@pytest.fixture
def runs(movers: Movers) -> str:
    (name,) = movers.running()
    return name


@pytest.fixture
def waits(movers: Movers, runs: str) -> str:
    (name,) = set(movers.names()) - {runs}
    return name


def test_a_sidecar_has_its_own_token_and_no_other_credential(whole_site: Site, runs: str) -> None:
    """A mover runs under Velero's account, which may do everything, with the storage's secret."""
    python = ("--", "python3.11", "-c", _LOOK, ACCOUNT)
    seen = json.loads(whole_site.kubectl("exec", runs, f"--container={injected.NAME}", *python))
    assert not seen["credentials"]
    assert not seen["account"], "the account's own token is covered"
    own = "/var/run/secrets/node-slots"
    assert seen["files"] == [f"{own}/ca.crt", f"{own}/token"]
    assert not [name for name in seen["environment"] if "AWS" in name or "CREDENTIAL" in name]
    assert seen["user"] == 65532


def test_a_mover_that_waits_says_for_whom_to_whoever_asks(
    whole_site: Site, movers: Movers, runs: str, waits: str
) -> None:
    told = until(lambda: _line(movers.sidecar_says(waits), runs), "its log names the holder")
    assert "position 1" in told
    printed = {waits: "Init:0/1"}
    until(lambda: whole_site.kubectl.printed_status(waits) == printed, "the kubelet has told it")
    assert (
        whole_site.velero.volumes("podvolumebackups", "pair")[waits]["status"]["phase"]
        == "Accepted"
    )


@pytest.mark.parametrize("reason", WARNINGS)
def test_a_mover_that_waits_long_gets_a_warning_with_the_numbers(
    reason: str, whole_site: Site, runs: str, waits: str
) -> None:
    found = until(
        lambda: [
            one for one in whole_site.events(reason) if one["involvedObject"]["name"] == waits
        ],
        f"{waits} gets the Event {reason}",
    )
    assert found[0]["type"] == "Warning"
    assert WARNINGS[reason] in found[0]["message"]
    assert runs in found[0]["message"], "it says who has the slot"


def _line(log: str, word: str) -> str:
    """The last line with that word."""
    return next((line for line in reversed(log.splitlines()) if word in line), "")
