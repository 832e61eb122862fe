"""The settings of `slot-coordinator serve` that are about Velero's data movers."""

from __future__ import annotations

import re

from pydantic import Field, field_validator
from pydantic_settings import BaseSettings

from coordinator.core.movers import PREPARE_TIMEOUT, RESTORE_PRIORITY

_HTTPS = re.compile(r"https://[^\s/?#]+/?")
SUBDOMAIN = re.compile(r"(?=.{1,253}\Z)[a-z0-9]([a-z0-9.-]*[a-z0-9])?")


class VeleroSettings(BaseSettings):
    """A part of `settings.Settings`."""

    restore_headroom: int = Field(
        0,
        ge=0,
        description="How many slots of each node only restores may have; one slot is always left"
        " for the rest. A restore is a claim of --restore-priority or more.",
    )
    restore_priority: int = Field(
        RESTORE_PRIORITY,
        description="From which priority on a claim counts as a restore. Sidecars that are injected"
        " into Velero's restores ask with the default.",
    )
    prepare_timeout: float = Field(
        PREPARE_TIMEOUT,
        ge=0,
        allow_inf_nan=False,
        description="Seconds of --data-mover-prepare-timeout of Velero's node-agent: it fails the"
        " volume of a mover that waits longer. A Warning Event on the mover tells when three"
        " quarters of it are over. 0 turns it off.",
    )
    inject_image: str = Field(
        "",
        description="The image with slot-agent. With it, every replica serves an admission webhook"
        " that puts the sidecar into Velero's mover Pods, for Kubernetes before 1.36; `velero"
        " install --injection webhook` sets it. Without it there is no such route.",
    )
    inject_url: str = Field(
        "",
        description="Where these sidecars reach the coordinator. Default: the Service of --service"
        " in the election's namespace, port 8443.",
    )
    webhook_configuration: str = Field(
        "node-slots-movers",
        min_length=1,
        description="The MutatingWebhookConfiguration that calls this webhook: with --tls self-made"
        " and --inject-image the authority is published there, too.",
    )

    @field_validator("inject_image")
    @classmethod
    def _an_image(cls, image: str) -> str:
        if any(map(str.isspace, image)):
            raise ValueError(f"{image!r} is not the name of an image")
        return image

    @field_validator("inject_url")
    @classmethod
    def _over_tls(cls, url: str) -> str:
        if url and not _HTTPS.fullmatch(url):
            raise ValueError(f"{url!r} is not https://HOST:PORT")
        return url.rstrip("/")

    @field_validator("webhook_configuration")
    @classmethod
    def _a_name(cls, name: str) -> str:
        if not SUBDOMAIN.fullmatch(name):
            raise ValueError(f"{name!r} is no name of a MutatingWebhookConfiguration")
        return name

    def _require_callable(self, tls_mode: str) -> None:
        """Raises ValueError for a webhook that no API server could call."""
        if self.inject_image and tls_mode == "off":
            raise ValueError(
                "--inject-image: an API server calls webhooks over HTTPS only, so with --tls off"
                " none would ever call this one: leave --tls off out (with --auth none give --tls"
                " self-made), or leave --inject-image out"
            )
