"""Only that part of the `kubernetes` package is imported which is used."""

from __future__ import annotations

import subprocess
import sys


def said(code: str) -> str:
    """What a fresh interpreter prints that runs this."""
    run = subprocess.run([sys.executable, "-c", code], check=True, capture_output=True, text=True)
    return run.stdout.strip()


def test_nothing_is_imported_that_credentials_do_not_need() -> None:
    unused = {"requests", "oauthlib", "websocket", "kubernetes.client", "kubernetes_validate"}
    code = "import sys, coordinator.kube.loading; print(*sys.modules)"
    assert unused.isdisjoint(said(code).split())


def test_the_whole_package_can_be_imported_afterwards() -> None:
    code = (
        "import coordinator.kube.loading as part, kubernetes.aio as whole;"
        "print(whole.client.Configuration is part.Configuration, whole.watch.Watch.__name__)"
    )
    assert said(code) == "True Watch"


def test_a_package_that_was_imported_before_is_left_alone() -> None:
    code = (
        "import kubernetes.aio as whole, coordinator.kube.loading as part, sys;"
        "print(sys.modules['kubernetes.aio'] is whole, part.Configuration.__name__)"
    )
    assert said(code) == "True Configuration"
