"""Every section that Velero types is typed the same; null, case and doubles go as in Go."""

import json
from typing import Any

import pytest

from coordinator.core.limits import ConfigRefused, LimitRules, read_config
from coordinator.core.shapes import fold

SAMPLES: dict[str, Any] = {"int": 1, "string": "s", "bool": True, "list": [], "object": {}}
RULE = "loadConcurrency.perNodeConfig[]"
SELECTOR = f"{RULE}.nodeSelector"
FIELDS = {
    "loadConcurrency": "object",
    "loadConcurrency.globalConfig": "int",
    "loadConcurrency.prepareQueueLength": "int",
    "loadConcurrency.perNodeConfig": "list",
    RULE: "object",
    f"{RULE}.number": "int",
    SELECTOR: "object",
    f"{SELECTOR}.matchLabels": "object",
    f"{SELECTOR}.matchLabels.any": "string",
    f"{SELECTOR}.matchExpressions": "list",
    f"{SELECTOR}.matchExpressions[]": "object",
    f"{SELECTOR}.matchExpressions[].key": "string",
    f"{SELECTOR}.matchExpressions[].operator": "string",
    f"{SELECTOR}.matchExpressions[].values": "list",
    f"{SELECTOR}.matchExpressions[].values[]": "string",
    "loadAffinity": "list",
    "loadAffinity[]": "object",
    "loadAffinity[].nodeSelector": "object",
    "loadAffinity[].nodeSelector.matchLabels.any": "string",
    "loadAffinity[].storageClass": "string",
    "backupPVC": "object",
    "backupPVC.any": "object",
    "backupPVC.any.storageClass": "string",
    "backupPVC.any.readOnly": "bool",
    "backupPVC.any.spcNoRelabeling": "bool",
    "backupPVC.any.annotations": "object",
    "backupPVC.any.annotations.any": "string",
    "restorePVC": "object",
    "restorePVC.ignoreDelayBinding": "bool",
    "podResources": "object",
    "podResources.cpuRequest": "string",
    "podResources.cpuLimit": "string",
    "podResources.memoryRequest": "string",
    "podResources.memoryLimit": "string",
    "podResources.ephemeralStorageRequest": "string",
    "podResources.ephemeralStorageLimit": "string",
    "priorityClassName": "string",
    "privilegedFsBackup": "bool",
    "cachePVC": "object",
    "cachePVC.storageClass": "string",
    "cachePVC.residentThresholdInMB": "int",
    "podAnnotations": "object",
    "podAnnotations.any": "string",
    "podLabels": "object",
    "podLabels.any": "string",
}


def read(text: str) -> LimitRules:
    return read_config({"a": text})


def at(path: str, value: str) -> str:
    """A configuration with the JSON text `value` at a path of FIELDS."""
    for step in reversed(path.replace("[]", ".[]").split(".")):
        value = f"[{value}]" if step == "[]" else f'{{"{step}": {value}}}'
    return value


@pytest.mark.parametrize("path", FIELDS)
@pytest.mark.parametrize("kind", SAMPLES)
def test_a_field_takes_its_own_type_only(path: str, kind: str) -> None:
    text = at(path, json.dumps(SAMPLES[kind]))
    if kind == FIELDS[path]:
        read(text)
    else:
        with pytest.raises(ConfigRefused, match="is needed") as refused:
            read(text)
        assert refused.value.path == path.replace("[]", "[0]")


@pytest.mark.parametrize("path", FIELDS)
def test_null_is_taken_everywhere(path: str) -> None:
    assert read(at(path, "null")).resolve({}).limit == 1


INTS = [path for path, kind in FIELDS.items() if kind == "int"]


@pytest.mark.parametrize("path", INTS)
@pytest.mark.parametrize("number", ["2.0", "1e2", "1E400", "-0.0", str(2**63), "-1" + "0" * 5000])
def test_an_int_has_digits_only_and_fits_64_bits(path: str, number: str) -> None:
    with pytest.raises(ConfigRefused, match=r"an integer is needed|does not fit"):
        read(at(path, number))


@pytest.mark.parametrize("path", INTS)
@pytest.mark.parametrize("number", ["0", "-0", str(2**63 - 1), str(-(2**63))])
def test_an_int_takes_all_of_64_bits(path: str, number: str) -> None:
    read(at(path, number))


@pytest.mark.parametrize("odd", ["1e400", "-1e-400", "9" * 5000, '{"a": [1, {}]}', '"\\ud800"'])
def test_an_unknown_key_may_hold_anything(odd: str) -> None:
    rules = read(f'{{"x": {odd}, "loadConcurrency": {{"globalConfig": 3, "y": {odd}}}}}')
    assert rules.resolve({}).limit == 3
    assert len(rules.warnings) == 2


@pytest.mark.parametrize("odd", ['["a"]', "1", "{}", "null"])
def test_a_field_that_newer_releases_add_to_another_section_is_left_alone(odd: str) -> None:
    assert read(f'{{"restorePVC": {{"secretNames": {odd}}}}}').warnings == ()


@pytest.mark.parametrize(
    "name", ["globalConfig", "GLOBALCONFIG", "globalconfig", "gLoBaLcOnFiG", "\\u0067lobalConfig"]
)
def test_a_field_is_found_in_any_case(name: str) -> None:
    assert read(f'{{"LOADconcurrency": {{"{name}": 3}}}}').resolve({}).limit == 3


def test_the_long_s_and_the_kelvin_sign_fold_as_in_go() -> None:
    assert fold("ba\u212aup\u017f") == fold("BAKUPS")
    assert fold("\u0131\u0130\u00df") not in (fold("iiss"), fold("IISS"))
    with pytest.raises(ConfigRefused):
        read('{"re\u017ftorePVC": 1}')
    read('{"pr\u0131orityClassName": 1}')


def test_the_keys_of_a_map_keep_their_case() -> None:
    labels = '{"matchLabels": {"team": "a", "Team": "b"}}'
    text = (
        f'{{"loadConcurrency": {{"perNodeConfig": [{{"nodeSelector": {labels}, "number": 3}}]}}}}'
    )
    assert read(text).warnings == ()
    assert read(text).resolve({"team": "a", "Team": "b"}).limit == 3
    assert read(text).resolve({"team": "a"}).limit == 1


def test_a_key_that_stands_twice_is_refused_by_name() -> None:
    with pytest.raises(ConfigRefused, match="stands twice") as refused:
        read('{"loadConcurrency": {"globalConfig": 1, "globalConfig": 1}}')
    assert refused.value.path == "loadConcurrency.globalConfig"


_CUT = '"perNodeConfig": [{"number": 9}, {"number": 5}], '


@pytest.mark.parametrize(
    ("members", "limit"),
    [
        ('"globalConfig": 3, "GlobalConfig": 4', 4),
        ('"globalConfig": 3, "GlobalConfig": null', 3),
        # A list is read over the other cell by cell: the number stays where none is given.
        ('"perNodeConfig": [{"number": 5}], "PerNodeConfig": [{}]', 5),
        ('"perNodeConfig": [{"number": 5}], "PerNodeConfig": []', 1),
        ('"perNodeConfig": [{"number": 5}], "PerNodeConfig": null', 1),
        # What a shorter list cut off comes back under a longer one, but not after [].
        ('"perNodeConfig": [{"number": 9}, {"number": 5}], "PERNODECONFIG": [{}]', 9),
        (_CUT + '"PerNodeConfig": [{}], "pernodeconfig": [{}, {}]', 5),
        (_CUT + '"PerNodeConfig": [], "pernodeconfig": [{}, {}]', 1),
    ],
)
def test_two_keys_of_one_field_are_merged_as_in_go_and_told(members: str, limit: int) -> None:
    rules = read(f'{{"loadConcurrency": {{{members}}}}}')
    assert rules.resolve({}).limit == limit
    assert any("the same field as" in str(warning) for warning in rules.warnings)


@pytest.mark.parametrize(("again", "limit"), [("{}", 3), ("null", 1)])
def test_a_section_given_twice_is_merged_and_null_resets_it(again: str, limit: int) -> None:
    rules = read(f'{{"loadConcurrency": {{"globalConfig": 3}}, "LoadConcurrency": {again}}}')
    assert rules.resolve({}).limit == limit
