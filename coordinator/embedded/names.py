"""The rules for names, labels and annotations (``k8s.io/apimachinery/pkg/util/validation``)."""

from __future__ import annotations

import re

from coordinator.embedded.errors import Cause, invalid_value

_LABEL = r"[a-z0-9]([-a-z0-9]*[a-z0-9])?"
_DNS_LABEL = re.compile(_LABEL)
_SUBDOMAIN = re.compile(rf"{_LABEL}(\.{_LABEL})*")
_QUALIFIED = re.compile(r"([A-Za-z0-9][-A-Za-z0-9_.]*)?[A-Za-z0-9]")
_CONFIG_KEY = re.compile(r"[-._a-zA-Z0-9]+")
_ANNOTATIONS_LIMIT = 256 * 1024


def subdomain(name: str) -> list[str]:
    """Return what is wrong with a DNS-1123 subdomain; nothing when it is one."""
    wrong = ["must be no more than 253 bytes"] if len(name.encode()) > 253 else []
    if not _SUBDOMAIN.fullmatch(name):
        wrong.append(
            "a lowercase RFC 1123 subdomain must consist of lower case alphanumeric characters, "
            "'-' or '.', and must start and end with an alphanumeric character"
        )
    return wrong


def dns_label(name: str) -> list[str]:
    """Return what is wrong with a DNS-1123 label."""
    wrong = ["must be no more than 63 bytes"] if len(name.encode()) > 63 else []
    if not _DNS_LABEL.fullmatch(name):
        wrong.append(
            "a lowercase RFC 1123 label must consist of lower case alphanumeric characters or "
            "'-', and must start and end with an alphanumeric character"
        )
    return wrong


def path_segment(name: str) -> list[str]:
    """Return what keeps a name from standing in a URL path."""
    if name in {".", ".."}:
        return [f"may not be '{name}'"]
    return [f"may not contain '{mark}'" for mark in "/%" if mark in name]


def qualified(name: str) -> list[str]:
    """Return what is wrong with a ``prefix/name`` key of a label, annotation or finalizer."""
    prefix, slash, rest = name.rpartition("/")
    if "/" in prefix:
        return ["a qualified name must have at most one '/'"]
    wrong = [f"prefix part {why}" for why in subdomain(prefix)] if slash else []
    if len(rest) > 63:
        wrong.append("name part must be no more than 63 bytes")
    if not _QUALIFIED.fullmatch(rest):
        wrong.append(
            "name part must consist of alphanumeric characters, '-', '_' or '.', and must start "
            "and end with an alphanumeric character"
        )
    return wrong


def label_value(value: str) -> list[str]:
    """Return what is wrong with a label's value."""
    wrong = ["must be no more than 63 bytes"] if len(value.encode()) > 63 else []
    if value and not _QUALIFIED.fullmatch(value):
        wrong.append(
            "a valid label must be an empty string or consist of alphanumeric characters, '-', "
            "'_' or '.', and must start and end with an alphanumeric character"
        )
    return wrong


def config_key(key: str) -> list[str]:
    """Return what is wrong with a key of a ConfigMap."""
    if len(key) > 253:
        return ["must be no more than 253 characters"]
    if key in {".", ".."}:
        return [f"must not be '{key}'"]
    if key.startswith(".."):
        return ["must not start with '..'"]
    if not _CONFIG_KEY.fullmatch(key):
        return ["a valid config key must consist of alphanumeric characters, '-', '_' or '.'"]
    return []


def label_causes(labels: dict[str, str], where: str) -> list[Cause]:
    """Return every broken rule of a map of labels."""
    found: list[Cause] = []
    for key, value in labels.items():
        found += [invalid_value(where, key, why) for why in qualified(key)]
        found += [invalid_value(where, value, why) for why in label_value(value)]
    return found


def annotation_causes(annotations: dict[str, str], where: str) -> list[Cause]:
    """Return every broken rule of a map of annotations; keys may be upper case."""
    found = [invalid_value(where, k, why) for k in annotations for why in qualified(k.lower())]
    size = sum(len(key.encode()) + len(value.encode()) for key, value in annotations.items())
    if size > _ANNOTATIONS_LIMIT:
        why = f"Too long: may not be more than {_ANNOTATIONS_LIMIT} bytes"
        found.append(Cause("FieldValueTooLong", where, why))
    return found
