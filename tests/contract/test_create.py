"""POST: what is taken, what is refused, and what the server fills in."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

import pytest

from tests.contract.objects import config_map, lease

if TYPE_CHECKING:
    from tests.contract.client import Api, Json

MICROTIME = "2026-01-02T03:04:05.123456Z"


def _with(part: str, value: Any) -> Json:
    body = lease("a")
    body["metadata"][part] = value
    return body


async def test_a_created_object_comes_back_with_what_the_server_sets(api: Api) -> None:
    answer = await api.post(api.leases, lease("a", "me"))
    meta = answer.json["metadata"]
    assert answer.status == 201
    assert (answer.json["apiVersion"], answer.json["kind"]) == ("coordination.k8s.io/v1", "Lease")
    assert (meta["name"], meta["namespace"]) == ("a", api.namespace)
    assert re.fullmatch(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}", meta["uid"])
    assert re.fullmatch(r"[1-9]\d*", meta["resourceVersion"])
    assert re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ", meta["creationTimestamp"])
    assert "generation" not in meta
    assert answer.json["spec"] == {"holderIdentity": "me"}


async def test_a_name_that_is_taken_is_refused_with_a_whole_status(api: Api) -> None:
    await api.make(api.leases, lease("a"))
    answer = await api.post(api.leases, lease("a", "other"))
    assert answer.status == 409
    assert answer.json == {
        "kind": "Status",
        "apiVersion": "v1",
        "metadata": {},
        "status": "Failure",
        "message": 'leases.coordination.k8s.io "a" already exists',
        "reason": "AlreadyExists",
        "details": {"name": "a", "group": "coordination.k8s.io", "kind": "leases"},
        "code": 409,
    }


@pytest.mark.parametrize("name", ["A", "a_b", "-a", "a-", "a..b", "a b", "ä", "x" * 254, "", "a/b"])
async def test_an_invalid_name_is_refused(api: Api, name: str) -> None:
    answer = await api.post(api.leases, lease(name))
    assert answer.outcome == (422, "Invalid")
    assert answer.json["details"]["kind"] == "Lease"
    assert answer.json["details"]["causes"][0]["field"].startswith("metadata.name")


@pytest.mark.parametrize("name", ["a", "0", "a.b-c.d", "x" * 253])
async def test_a_dns_subdomain_is_a_name(api: Api, name: str) -> None:
    assert (await api.post(api.leases, lease(name))).status == 201


async def test_generate_name_adds_five_characters(api: Api) -> None:
    body = lease("")
    body["metadata"] = {"generateName": "slot-"}
    answer = await api.post(api.leases, body)
    assert answer.status == 201
    assert re.fullmatch(r"slot-[a-z0-9]{5}", answer.json["metadata"]["name"])


@pytest.mark.parametrize(
    ("given", "stored"),
    [
        (MICROTIME, MICROTIME),
        ("2026-01-02T04:04:05.123456+01:00", MICROTIME),
        ("2026-01-02T03:04:05.000000Z", "2026-01-02T03:04:05.000000Z"),
        ("2026-01-02T03:04:05.100000Z", "2026-01-02T03:04:05.100000Z"),
    ],
)
async def test_a_microtime_comes_back_in_utc_with_six_digits(
    api: Api, given: str, stored: str
) -> None:
    body = lease("a")
    body["spec"] = {"acquireTime": given, "renewTime": given}
    answer = await api.post(api.leases, body)
    assert answer.status == 201
    assert answer.json["spec"] == {"acquireTime": stored, "renewTime": stored}


@pytest.mark.parametrize(
    "given",
    [
        "2026-01-02T03:04:05Z",
        "2026-01-02T03:04:05.123Z",
        "2026-01-02T03:04:05.1234567Z",
        "2026-01-02T03:04:05.123456",
        "2026-01-02 03:04:05.123456Z",
        "2026-02-30T03:04:05.123456Z",
        "",
        "now",
        1767323045,
    ],
)
async def test_any_other_microtime_is_refused(api: Api, given: object) -> None:
    body = lease("a")
    body["spec"] = {"renewTime": given}
    assert (await api.post(api.leases, body)).outcome == (400, "BadRequest")


@pytest.mark.parametrize(
    "raw",
    [b"{", b"", b"[]", b'"lease"', b'{"kind":"Lease","apiVersion":"coordination.k8s.io/v1",}'],
)
async def test_a_body_that_is_no_json_object_is_refused(api: Api, raw: bytes) -> None:
    assert (await api.post(api.leases, raw)).outcome == (400, "BadRequest")


async def test_null_is_an_object_without_a_name(api: Api) -> None:
    assert (await api.post(api.leases, b"null")).outcome == (422, "Invalid")


@pytest.mark.parametrize(
    "spec",
    [
        {"holderIdentity": 3},
        {"leaseTransitions": "1"},
        {"leaseTransitions": 1.5},
        {"leaseDurationSeconds": 2**31},
        [],
    ],
)
async def test_a_field_of_the_wrong_type_is_refused(api: Api, spec: Any) -> None:
    body = {**lease("a"), "spec": spec}
    assert (await api.post(api.leases, body)).outcome == (400, "BadRequest")


@pytest.mark.parametrize(
    ("spec", "field"),
    [
        ({"leaseDurationSeconds": 0}, "spec.leaseDurationSeconds"),
        ({"leaseDurationSeconds": -1}, "spec.leaseDurationSeconds"),
        ({"leaseTransitions": -1}, "spec.leaseTransitions"),
    ],
)
async def test_a_value_out_of_range_is_refused_by_its_field(
    api: Api, spec: dict[str, Any], field: str
) -> None:
    answer = await api.post(api.leases, {**lease("a"), "spec": spec})
    assert answer.outcome == (422, "Invalid")
    assert [cause["field"] for cause in answer.json["details"]["causes"]] == [field]


async def test_a_null_or_missing_field_is_left_out(api: Api) -> None:
    body = lease("a")
    body["spec"] = {"holderIdentity": None, "renewTime": None}
    assert (await api.post(api.leases, body)).json["spec"] == {}


async def test_an_empty_holder_is_kept_as_it_is(api: Api) -> None:
    body = lease("a")
    body["spec"] = {"holderIdentity": ""}
    answer = await api.post(api.leases, body)
    assert (answer.status, answer.json["spec"]) == (201, {"holderIdentity": ""})


@pytest.mark.parametrize(
    ("part", "value"),
    [
        ("labels", {"a": "not valid"}),
        ("labels", {"a": "x" * 64}),
        ("labels", {"-a": "x"}),
        ("labels", {"a/b/c": "x"}),
        ("annotations", {"a b": "x"}),
        ("annotations", {"a": "x" * 262_145}),
        ("finalizers", ["no-domain-and/two/slashes"]),
    ],
)
async def test_invalid_metadata_is_refused(api: Api, part: str, value: Any) -> None:
    answer = await api.post(api.leases, _with(part, value))
    assert answer.outcome == (422, "Invalid")
    assert answer.json["details"]["causes"][0]["field"].startswith(f"metadata.{part}")


@pytest.mark.parametrize("part", ["labels", "annotations"])
async def test_a_label_or_annotation_that_is_no_string_is_refused(api: Api, part: str) -> None:
    answer = await api.post(api.leases, _with(part, {"number": 1}))
    assert answer.outcome == (400, "BadRequest")


async def test_a_missing_namespace_is_not_found(api: Api) -> None:
    answer = await api.post(api.leases.replace(api.namespace, "nowhere"), lease("a"))
    assert answer.outcome == (404, "NotFound")
    assert answer.message == 'namespaces "nowhere" not found'
    assert answer.json["details"] == {"name": "nowhere", "kind": "namespaces"}


async def test_a_body_of_another_namespace_is_refused(api: Api) -> None:
    answer = await api.post(api.leases, lease("a", namespace="default"))
    assert answer.outcome == (400, "BadRequest")


async def test_a_body_of_another_kind_is_refused(api: Api) -> None:
    assert (await api.post(api.leases, config_map("a"))).outcome == (400, "BadRequest")


async def test_kind_and_version_may_be_left_to_the_path(api: Api) -> None:
    answer = await api.post(api.leases, {"metadata": {"name": "a"}})
    assert (answer.status, answer.json["kind"]) == (201, "Lease")


async def test_a_resource_version_has_no_place_in_a_create(api: Api) -> None:
    answer = await api.post(api.leases, lease("a", resourceVersion="5"))
    assert answer.status == 500
    assert answer.message == "resourceVersion should not be set on objects to be created"


async def test_the_server_chooses_the_uid_and_the_time(api: Api) -> None:
    mine: dict[str, Any] = {
        "uid": "11111111-1111-4111-8111-111111111111",
        "creationTimestamp": "2001-01-01T00:00:00Z",
    }
    meta = (await api.make(api.leases, lease("a", **mine))).json["metadata"]
    assert meta["uid"] != mine["uid"]
    assert meta["creationTimestamp"] > "2026"


async def test_a_dry_run_answers_as_if_and_stores_nothing(api: Api) -> None:
    answer = await api.post(f"{api.leases}?dryRun=All", lease("a"))
    assert answer.status == 201
    assert "uid" in answer.json["metadata"]
    assert (await api.get(f"{api.leases}/a")).status == 404


async def test_an_unknown_dry_run_is_refused(api: Api) -> None:
    answer = await api.post(f"{api.leases}?dryRun=Some", lease("a"))
    assert answer.outcome == (422, "Invalid")


async def test_strict_validation_refuses_an_unknown_field(api: Api) -> None:
    body = {**lease("a"), "spec": {"holder": "me"}}
    answer = await api.post(f"{api.leases}?fieldValidation=Strict", body)
    assert answer.outcome == (400, "BadRequest")
    assert 'unknown field "spec.holder"' in answer.message


@pytest.mark.parametrize("query", ["", "?fieldValidation=Warn"])
async def test_an_unknown_field_is_dropped_with_a_warning(api: Api, query: str) -> None:
    answer = await api.post(f"{api.leases}{query}", {**lease("a"), "spec": {"holder": "me"}})
    assert (answer.status, answer.json["spec"]) == (201, {})
    assert answer.headers["Warning"] == '299 - "unknown field \\"spec.holder\\""'


async def test_ignoring_validation_drops_an_unknown_field_silently(api: Api) -> None:
    body = {**lease("a"), "spec": {"holder": "me"}}
    answer = await api.post(f"{api.leases}?fieldValidation=Ignore", body)
    assert (answer.status, answer.headers.get("Warning")) == (201, None)


@pytest.mark.parametrize("key", ["a b", "", ".", "..", "a/b", "x" * 254])
async def test_a_config_map_key_that_is_no_file_name_is_refused(api: Api, key: str) -> None:
    answer = await api.post(api.core("configmaps"), config_map("c", {key: "x"}))
    assert answer.outcome == (422, "Invalid")
    assert answer.json["details"]["causes"][0]["field"] == f"data[{key}]"


@pytest.mark.parametrize("value", [1, True, {}, []])
async def test_config_map_data_are_strings(api: Api, value: Any) -> None:
    answer = await api.post(api.core("configmaps"), config_map("c", {"limits.json": value}))
    assert answer.outcome == (400, "BadRequest")


async def test_a_config_map_is_kept_to_the_letter(api: Api) -> None:
    text = '{"a": 1}\n\ttab \u00e4 \U0001f600 \\n'
    await api.make(api.core("configmaps"), config_map("c", {"Limits.v1_x-y.json": text}))
    answer = await api.get(api.core("configmaps/c"))
    assert answer.json["data"] == {"Limits.v1_x-y.json": text}


async def test_a_config_map_over_a_mebibyte_is_refused(api: Api) -> None:
    answer = await api.post(api.core("configmaps"), config_map("c", {"k": "x" * (1024 * 1024 + 1)}))
    assert answer.outcome == (422, "Invalid")


async def test_a_body_over_three_megabytes_is_too_large(api: Api) -> None:
    body = config_map("c", {"k": "x" * (3 * 1024 * 1024)})
    answer = await api.post(api.core("configmaps"), body)
    assert answer.outcome == (413, "RequestEntityTooLarge")
