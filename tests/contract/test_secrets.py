"""Secrets, as far as the project keeps its certificates in one."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from tests.contract.objects import config_map, secret

if TYPE_CHECKING:
    from tests.contract.client import Api

TLS = "kubernetes.io/tls"
TABLE = "application/json;as=Table;g=meta.k8s.io;v=v1"


async def made(api: Api, body: Any) -> Any:
    return (await api.make(api.core("secrets"), body)).json


async def test_a_secret_is_opaque_and_kept_to_the_letter(api: Api) -> None:
    body = secret("s", tls_crt="one\n")
    one = await made(api, body)
    assert (one["type"], one["data"]) == ("Opaque", {"tls.crt": "b25lCg=="})
    assert (await api.get(api.core("secrets/s"))).json == one


async def test_a_secret_may_be_empty(api: Api) -> None:
    body = secret("s")
    del body["data"]
    assert "data" not in await made(api, body)


async def test_texts_of_a_secret_become_data_and_win(api: Api) -> None:
    one = await made(api, secret("s", a="1", b="2") | {"stringData": {"b": "3"}})
    assert one["data"] == {"a": "MQ==", "b": "Mw=="}
    assert "stringData" not in one


async def test_a_secret_is_compared_and_swapped(api: Api) -> None:
    first = await made(api, secret("s"))
    changed = {**first, "data": {"tls.crt": "b25l"}}
    second = (await api.put(api.core("secrets/s"), changed)).json
    assert second["data"] == {"tls.crt": "b25l"}
    assert second["metadata"]["resourceVersion"] != first["metadata"]["resourceVersion"]
    answer = await api.put(api.core("secrets/s"), {**first, "data": {"tls.crt": "dHdv"}})
    assert answer.outcome == (409, "Conflict")


@pytest.mark.parametrize("plural", ["secrets", "configmaps"])
async def test_an_update_makes_nothing_that_is_not_there(api: Api, plural: str) -> None:
    body = secret("s") if plural == "secrets" else config_map("s")
    assert (await api.put(api.core(f"{plural}/s"), body)).outcome == (404, "NotFound")


async def test_the_same_again_without_a_version_changes_nothing(api: Api) -> None:
    path = api.core("configmaps/c")
    await api.make(api.core("configmaps"), config_map("c", labels={"own": "label"}))
    first = await api.put(path, config_map("c", {"ca.crt": "x"}))
    again = await api.put(path, config_map("c", {"ca.crt": "x"}))
    assert (again.status, again.version) == (200, first.version)
    assert "labels" not in again.json["metadata"]


@pytest.mark.parametrize("value", ["not base64!", 1, {}])
async def test_data_of_a_secret_are_base64(api: Api, value: object) -> None:
    body = secret("s") | {"data": {"k": value}}
    assert (await api.post(api.core("secrets"), body)).outcome == (400, "BadRequest")


async def test_a_key_that_is_no_file_name_is_refused(api: Api) -> None:
    answer = await api.post(api.core("secrets"), secret("s") | {"data": {"a/b": "eA=="}})
    assert answer.outcome == (422, "Invalid")
    assert answer.json["details"]["causes"][0]["field"] == "data[a/b]"


async def test_a_tls_secret_needs_its_two_keys(api: Api) -> None:
    answer = await api.post(api.core("secrets"), secret("s", tls_crt="x") | {"type": TLS})
    assert answer.outcome == (422, "Invalid")
    assert [cause["field"] for cause in answer.json["details"]["causes"]] == ["data[tls.key]"]
    assert (await made(api, secret("s", tls_crt="", tls_key="") | {"type": TLS}))["type"] == TLS


async def test_the_type_of_a_secret_stays(api: Api) -> None:
    await made(api, secret("s", tls_crt="x", tls_key="y") | {"type": TLS})
    answer = await api.put(api.core("secrets/s"), secret("s"))
    assert answer.outcome == (422, "Invalid")
    assert answer.json["details"]["causes"][0]["field"] == "type"


async def test_an_immutable_secret_stays_as_it_is(api: Api) -> None:
    await made(api, secret("s", k="v") | {"immutable": True})
    answer = await api.put(api.core("secrets/s"), secret("s", k="w") | {"immutable": True})
    assert answer.outcome == (422, "Invalid")
    assert answer.json["details"]["causes"][0]["field"] == "data"


async def test_a_secret_over_a_mebibyte_is_refused(api: Api) -> None:
    answer = await api.post(api.core("secrets"), secret("s", k="x" * (1024 * 1024 + 1)))
    assert answer.outcome == (422, "Invalid")


async def test_secrets_as_kubectl_lists_them(api: Api) -> None:
    await made(api, secret("s", a="1", b="2"))
    table = (await api.get(api.core("secrets"), accept=TABLE)).json
    assert [column["name"] for column in table["columnDefinitions"]] == [
        "Name",
        "Type",
        "Data",
        "Age",
    ]
    assert [row["cells"][:3] for row in table["rows"]] == [["s", "Opaque", 2]]
