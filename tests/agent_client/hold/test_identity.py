"""Who a hold container is."""

from __future__ import annotations

import re

import pytest
import yaml

from agent_client.errors import SettingsError
from agent_client.hold.identity import FIELDS, claim_id, identity

POD = {
    "POD_NAMESPACE": "jobs",
    "POD_NAME": "nightly-7",
    "POD_UID": "5f3c0c8e-8d1b-4f3e-9a55-0c1d2e3f4a5b",
    "NODE_NAME": "node1",
}
CLAIM = re.compile(r"[A-Za-z0-9][A-Za-z0-9._:-]{0,127}")
"""What the coordinator takes for a claim's id (docs/api.md)."""


def test_the_load_has_the_pods_name_unless_it_is_given_one() -> None:
    assert identity(POD, None).load == "nightly-7"
    assert identity(POD, "scan").load == "scan"


def test_the_same_pod_and_load_are_the_same_claim_and_agent_again() -> None:
    assert identity(POD, "scan") == identity(dict(POD), "scan")
    assert identity(POD, "scan").claim == identity(POD, "scan").claim


def test_another_pod_or_another_load_is_another_claim_and_another_agent() -> None:
    whos = [
        identity(POD, None),
        identity(POD, "scan"),
        identity(POD | {"POD_UID": "6a"}, None),
        identity(POD | {"POD_UID": "6a"}, "scan"),
    ]
    assert len({who.claim for who in whos}) == len(whos)
    assert len({who.agent for who in whos}) == len(whos)


@pytest.mark.parametrize("load", ["x" * 256, "übung/7", "a b"])
@pytest.mark.parametrize("uid", [POD["POD_UID"], "0" * 64])
def test_claims_and_agents_have_the_form_that_the_coordinator_takes(load: str, uid: str) -> None:
    who = identity(POD | {"POD_UID": uid, "POD_NAME": "p" * 253}, load)
    assert CLAIM.fullmatch(claim_id(who.claim, 17))
    assert len(who.agent) <= 253


def test_a_given_claim_is_the_stem_as_it_is_and_names_the_agent() -> None:
    who = identity(POD, "scan", POD["POD_UID"])
    assert who.claim == POD["POD_UID"]
    assert claim_id(who.claim, 1) == f"{POD['POD_UID']}.1"
    assert who.agent == f"nightly-7/{POD['POD_UID']}"
    assert who.load == "scan"


def test_the_longest_claim_leaves_room_for_generations_and_the_agents_name() -> None:
    who = identity(POD | {"POD_NAME": "p" * 253}, None, "c" * 120)
    assert CLAIM.fullmatch(claim_id(who.claim, 9_999_999))
    assert len(who.agent) <= 253


@pytest.mark.parametrize("claim", ["", "$(POD_UID)", "-a", "a b", "ä", "a\n", "c" * 121])
def test_what_can_be_no_claim_is_refused(claim: str) -> None:
    with pytest.raises(SettingsError, match="--claim"):
        identity(POD, None, claim)


@pytest.mark.parametrize("missing", FIELDS)
def test_a_missing_variable_is_named_with_the_yaml_that_sets_it(missing: str) -> None:
    rest = {name: value for name, value in POD.items() if name != missing}
    with pytest.raises(SettingsError, match=missing) as error:
        identity(rest, None)
    lines = str(error.value).splitlines()[1:]
    (variable,) = yaml.safe_load("\n".join(lines))["env"]
    assert variable["name"] == missing
    assert variable["valueFrom"]["fieldRef"]["fieldPath"] == FIELDS[missing]


def test_what_can_be_no_uid_is_refused() -> None:
    with pytest.raises(SettingsError, match=r"metadata\.uid"):
        identity(POD | {"POD_UID": "$(POD_UID)"}, None)
