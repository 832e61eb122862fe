"""A selector is what apimachinery's LabelSelectorAsSelector makes of it."""

import pytest

from coordinator.core.schema import SelectorConfig
from coordinator.core.selectors import (
    SelectorError,
    check_label_key,
    check_label_value,
    read_selector,
    selector_text,
)

SSD = {"disk": "ssd"}


def expression(key: str, operator: str, *values: str) -> SelectorConfig:
    return {"matchExpressions": [{"key": key, "operator": operator, "values": list(values)}]}


@pytest.mark.parametrize(
    ("config", "labels", "matches"),
    [
        ({"matchLabels": {"disk": "ssd"}}, SSD, True),
        ({"matchLabels": {"disk": "SSD"}}, SSD, False),
        ({"matchLabels": {"Disk": "ssd"}}, SSD, False),
        ({"matchLabels": {"role": ""}}, {"role": ""}, True),
        ({"matchLabels": {"role": ""}}, {}, False),
        ({"matchLabels": {"disk": "ssd", "zone": "a"}}, SSD, False),
        (expression("disk", "In", "hdd", "ssd"), SSD, True),
        (expression("disk", "In", "ssd"), {}, False),
        (expression("disk", "NotIn", "ssd"), SSD, False),
        (expression("disk", "NotIn", "hdd"), SSD, True),
        (expression("disk", "NotIn", "ssd"), {}, True),
        (expression("disk", "NotIn", ""), {"disk": ""}, False),
        (expression("disk", "Exists"), {"disk": ""}, True),
        (expression("disk", "Exists"), {}, False),
        (expression("disk", "DoesNotExist"), SSD, False),
        (expression("disk", "DoesNotExist"), {}, True),
        ({"matchLabels": {"disk": "ssd"}, **expression("zone", "Exists")}, SSD, False),
        ({"matchLabels": {"disk": "ssd"}, **expression("zone", "DoesNotExist")}, SSD, True),
        ({"matchLabels": {}, "matchExpressions": []}, SSD, True),
        ({}, {}, True),
    ],
)
def test_every_condition_has_to_hold(
    config: SelectorConfig, labels: dict[str, str], matches: bool
) -> None:
    assert read_selector(config).matches(labels) is matches


@pytest.mark.parametrize(
    "operator", ["in", "IN", " In", "notIn", "exists", "", "=", "Gt", "Equals"]
)
def test_an_operator_counts_only_as_it_is_spelled(operator: str) -> None:
    with pytest.raises(SelectorError, match="is no operator"):
        read_selector(expression("disk", operator, "1"))


@pytest.mark.parametrize(
    ("operator", "values", "why"),
    [
        ("In", [], "at least one value"),
        ("NotIn", [], "at least one value"),
        ("Exists", [""], "takes no values"),
        ("DoesNotExist", ["a"], "takes no values"),
    ],
)
def test_the_number_of_values_has_to_suit_the_operator(
    operator: str, values: list[str], why: str
) -> None:
    with pytest.raises(SelectorError, match=why):
        read_selector(expression("disk", operator, *values))


@pytest.mark.parametrize(
    "key", ["a", "A_b.c-9", "a" * 63, "ex.com/a", "1/2", ".".join(["a" * 50] * 5)[:253] + "/a"]
)
def test_a_qualified_name_is_a_key(key: str) -> None:
    check_label_key(key)


@pytest.mark.parametrize(
    "key",
    [
        "",
        "/",
        "/a",
        "a/",
        "a/b/c",
        "-a",
        "a-",
        "_a",
        "a b",
        "a\n",
        "é",
        "\u0663",
        "\u212a",
        "a" * 64,
    ],
)
def test_a_key_name_outside_the_ascii_rules_is_refused(key: str) -> None:
    with pytest.raises(SelectorError, match="the label key"):
        check_label_key(key)
    with pytest.raises(SelectorError):
        read_selector({"matchLabels": {key: "a"}})
    with pytest.raises(SelectorError):
        read_selector(expression(key, "DoesNotExist"))


@pytest.mark.parametrize(
    "prefix", ["", "Ex.com", "ex..com", "-e.com", "e.com.", "e_x", "e.com\n", "é", "a" * 254]
)
def test_a_key_prefix_is_a_dns_name(prefix: str) -> None:
    with pytest.raises(SelectorError, match="bad prefix"):
        check_label_key(f"{prefix}/a")


@pytest.mark.parametrize("value", ["a b", "-", "a-", ".a", "a\n", "a/b", "é", "\u0663", "b" * 64])
def test_a_value_outside_the_ascii_rules_is_refused(value: str) -> None:
    with pytest.raises(SelectorError, match="no valid value"):
        check_label_value("disk", value)
    with pytest.raises(SelectorError):
        read_selector(expression("disk", "In", "ssd", value))


@pytest.mark.parametrize("value", ["", "a", "1.0_x-Y", "b" * 63])
def test_a_plain_value_is_taken(value: str) -> None:
    check_label_value("disk", value)


@pytest.mark.parametrize(
    ("config", "text"),
    [
        ({}, "everything"),
        ({"matchLabels": {"kubernetes.io/hostname": "node1"}}, "kubernetes.io/hostname=node1"),
        ({"matchLabels": {"b": "", "a": "1"}}, "a=1,b="),
        (expression("disk", "In", "ssd", "hdd"), "disk in (hdd,ssd)"),
        (expression("disk", "NotIn", "ssd"), "disk notin (ssd)"),
        (expression("disk", "Exists"), "disk"),
        (expression("disk", "DoesNotExist"), "!disk"),
    ],
)
def test_a_selector_is_named_in_the_syntax_of_kubectl(config: SelectorConfig, text: str) -> None:
    assert str(read_selector(config)) == selector_text(config) == text


@pytest.mark.parametrize(
    ("config", "text"),
    [
        (expression("disk", "="), 'disk "=" ()'),
        (expression("disk", "Exists", "a"), "disk Exists (a)"),
        ({"matchExpressions": [{}]}, '"" "" ()'),
        ({"matchLabels": {"a b": "\n"}}, '"a b"="\\n"'),
    ],
)
def test_a_refused_selector_has_a_name_too(config: SelectorConfig, text: str) -> None:
    assert selector_text(config) == text


def test_the_first_condition_that_fails_is_told() -> None:
    selector = read_selector({"matchLabels": {"disk": "ssd"}, **expression("zone", "Exists")})
    assert str(selector.missing(SSD)) == "zone"
    assert selector.missing({**SSD, "zone": "a"}) is None
