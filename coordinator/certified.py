"""Where `serve` has its certificate from, as the settings say."""

from __future__ import annotations

from pathlib import Path
from random import Random
from typing import TYPE_CHECKING

from coordinator.service.clock import Clock
from coordinator.tls.certificates import Certificates
from coordinator.tls.config_map import ConfigMap
from coordinator.tls.folder import FolderSource
from coordinator.tls.names import names_of, server_name
from coordinator.tls.publisher import Publisher
from coordinator.tls.reports import Reports
from coordinator.tls.secret import SecretSource
from coordinator.tls.webhook import Webhook

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from coordinator.kube.client import KubeClient
    from coordinator.settings import Settings
    from coordinator.tls.publisher import Place
    from coordinator.tls.reports import Counts


def certificates(
    settings: Settings,
    client: KubeClient,
    counts: Counts,
    *,
    leading: Callable[[], bool],
    namespaces: Sequence[str],
) -> Certificates | None:
    """To be entered; None with `--tls off`. `namespaces` get the authority."""
    if settings.tls_mode == "off":
        return None
    names = names_of(settings.service, settings.home, settings.tls_name)
    own, reports = server_name(settings.service, settings.home), Reports(counts)
    rng, clock = Random(), Clock()  # noqa: S311 - spreads retries; keys come from elsewhere
    if settings.tls_mode == "mounted":
        folder = FolderSource(Path(settings.tls_dir), own, reports)
        return Certificates(folder, own, reports, rng=rng)
    counts.publishes_ca(namespaces)
    publisher = Publisher(
        client,
        places(settings, namespaces),
        reports,
        leading=leading,
        clock=clock.now,
        rng=rng,
    )
    secret = SecretSource(
        client,
        settings.home,
        settings.tls_secret,
        names,
        publisher,
        reports,
        leading=leading,
        wall=clock.wall,
    )
    return Certificates(secret, own, reports, rng=rng, beside=[publisher.run])


def places(settings: Settings, namespaces: Sequence[str]) -> list[Place]:
    """Who has to believe the certificate: agents everywhere, and who calls the webhook."""
    places: list[Place] = [ConfigMap(name, settings.ca_configmap) for name in namespaces]
    if settings.inject_image:
        places.append(Webhook(settings.home, settings.webhook_configuration))
    return places
