"""The settings from the command line and the environment, and what is said when they are wrong."""

from __future__ import annotations

import argparse
from typing import TYPE_CHECKING, Any, get_args

from pydantic import ValidationError

from coordinator.settings import ENV_PREFIX, Settings, SettingsError
from coordinator.settings_velero import VeleroSettings

if TYPE_CHECKING:
    from collections.abc import Mapping

    from pydantic.fields import FieldInfo

_REPEATED = {
    "pool": "NAMESPACE/CONFIGMAP",
    "clients": "[POOL/]NAMESPACE[:MAX_PRIORITY]",
    "tls_name": "NAME",
}


def flag_of(name: str) -> str:
    """The flag of a field."""
    return "--" + name.replace("_", "-")


def add_flags(parser: argparse.ArgumentParser) -> None:
    """One flag for each setting; one that is not given leaves no trace in the namespace.

    Velero's come last, under a title of their own.
    """
    fields = Settings.model_fields
    _add(parser, {name: fields[name] for name in fields if name not in VeleroSettings.model_fields})
    _add(
        parser.add_argument_group(
            "Velero", "Velero's data movers, and how they get their sidecar."
        ),
        {name: fields[name] for name in VeleroSettings.model_fields},
    )


def _add(parser: argparse._ActionsContainer, fields: Mapping[str, FieldInfo]) -> None:
    for name, info in fields.items():
        options: dict[str, Any] = {"dest": name, "default": argparse.SUPPRESS}
        if info.annotation is bool:
            options["action"] = argparse.BooleanOptionalAction
        elif name in _REPEATED:
            options |= {"action": "append", "metavar": _REPEATED[name]}
        else:
            options["metavar"] = _metavar(info)
        parser.add_argument(flag_of(name), help=_help(name, info), **options)


def _metavar(info: FieldInfo) -> str:
    if values := _choices(info.annotation):
        return "|".join(values)
    return "TEXT" if info.annotation is str else "NUMBER"


def _choices(annotation: Any) -> list[str]:
    """The texts of a Literal, also of one that may be left out."""
    parts = get_args(annotation)
    nested = [choice for part in parts for choice in get_args(part)]
    return [choice for choice in nested or parts if isinstance(choice, str)]


def _help(name: str, info: FieldInfo) -> str:
    default = info.default
    shown = f" Default: {default}." if isinstance(default, str | int | float) and default else ""
    return f"{info.description}{shown} [{ENV_PREFIX}{name.upper()}]".replace("%", "%%")


def load(flags: Mapping[str, Any]) -> Settings:
    """The settings from these flags and, for the others, the environment.

    Raises `SettingsError`.
    """
    try:
        return Settings(**flags)
    except ValidationError as error:
        problems = error.errors(include_url=False, include_context=False, include_input=False)
        lines = [_told(problem["loc"], problem["msg"]) for problem in problems]
        raise SettingsError("\n".join(lines)) from None


def _told(location: tuple[int | str, ...], message: str) -> str:
    message = message.removeprefix("Value error, ")
    if not location:
        return message
    name = str(location[0])
    return f"{flag_of(name)} (or {ENV_PREFIX}{name.upper()}): {message}"
