"""The user's token is in no log line, no error and no traceback, whatever goes wrong."""

from __future__ import annotations

import logging
import traceback
from dataclasses import replace
from typing import TYPE_CHECKING

import pytest

from coordinator.kubectl.connect import Refused, Unreachable, connect
from tests.e2e import tokens
from tests.e2e.people import on_leases, person
from tests.kubectl.connect.scene import FORWARDING, LOOKING

if TYPE_CHECKING:
    from pathlib import Path

    from coordinator.kubectl.connect import Options
    from tests.kubectl.connect.scene import Scene

pytestmark = pytest.mark.real


async def trouble(options: Options) -> str:
    """The whole traceback of an attempt that fails, with all that led to it."""
    async with connect(options) as cluster:
        with pytest.raises((Refused, Unreachable)) as caught:
            await (await cluster.coordinator()).get("/v1/namespaces/elsewhere/nodes")
    return "".join(traceback.format_exception(caught.value)) + repr(caught.value.__context__)


async def test_no_trouble_shows_the_token(
    scene: Scene, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    scene.site.start()
    token = person(scene.cluster, "jane", *LOOKING)
    options = scene.options(tmp_path, token)
    told = [await trouble(options)]  # no Pod
    scene.add_pod("replica-1", 1)
    told.append(await trouble(options))  # nobody listens
    scene.kubelet.ports["replica-1"] = scene.port
    told.append(await trouble(options))  # no right there
    told.append(await trouble(replace(options, ca_file=str(scene.cluster.server.ca_file))))
    told.append(await trouble(replace(options, service_account="nobody")))
    weak = person(scene.cluster, "jack", on_leases("get"), *FORWARDING[:2])
    told.append(await trouble(scene.options(tmp_path, weak)))  # no right to forward
    told.append(await trouble(scene.options(tmp_path, token + "x")))  # not accepted
    everything = "\n".join(told) + caplog.text + scene.site.coordinator.output
    for one in (token, weak):
        assert tokens.signature(one)[:20] not in everything
