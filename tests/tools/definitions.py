"""Kinds that Kubernetes does not know by itself, as their makers define them.

The definitions come out of pinned Go modules, whose sums are checked, and are kept in the user's
cache. Nothing is compiled.
"""

from __future__ import annotations

import hashlib
import json
import tempfile
from pathlib import Path
from typing import Any

import yaml

from tests.realserver import toolchain
from tests.realserver.build import BuildError, fetch
from tests.realserver.programs import cache_root
from tests.realserver.report import fail_or_skip, say

TITLE = "definitions of kinds"
MODULE = Path(__file__).with_name("go-crds")
_OPERATOR = "example/prometheus-operator-crd/monitoring.coreos.com_{}.yaml"
_KYVERNO = "config/crds/policies.kyverno.io/policies.kyverno.io_{}.yaml"
_CERT_MANAGER = "deploy/charts/cert-manager/templates/crd-cert-manager.io_{}.yaml"
FILES = {
    "github.com/prometheus-operator/prometheus-operator": [
        _OPERATOR.format(kind) for kind in ("servicemonitors", "prometheusrules")
    ],
    "github.com/cert-manager/cert-manager": [
        _CERT_MANAGER.format(kind) for kind in ("issuers", "certificates")
    ],
    "github.com/kyverno/kyverno": [_KYVERNO.format("mutatingpolicies")],
}

Definition = dict[str, Any]


def ensure() -> int:
    """Makes sure that they are there, and says it; what comes back is the exit code."""
    try:
        if not _place().exists():
            _fetch()
        say(f"== {TITLE}: ready in {_place()}")
    except (BuildError, toolchain.NoGoError) as error:
        return fail_or_skip(str(error), TITLE)
    return 0


def find() -> list[Definition] | None:
    """The CustomResourceDefinitions; None: not fetched yet."""
    place = _place()
    return json.loads(place.read_text()) if place.exists() else None


def _place() -> Path:
    pinned = (MODULE / "go.mod").read_bytes() + (MODULE / "go.sum").read_bytes()
    told = pinned + repr(FILES).encode()
    return cache_root() / f"definitions-{hashlib.sha256(told).hexdigest()[:12]}.json"


def _fetch() -> None:
    go = toolchain.find_go()
    told = "".join(fetch(go, MODULE, ["mod", "download", "-json", *FILES]))
    found = [
        _definition(folder / name) for module, folder in _folders(told) for name in FILES[module]
    ]
    place = _place()
    place.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=place.parent, prefix=".fetching-") as folder:
        whole = Path(folder) / "whole"
        whole.write_text(json.dumps(found))
        whole.rename(place)


def _folders(told: str) -> list[tuple[str, Path]]:
    """What `go mod download -json` says: one JSON object after the other."""
    decoder, found, at = json.JSONDecoder(), [], 0
    while at < len(told.rstrip()):
        one, at = decoder.raw_decode(told, at)
        found.append((one["Path"], Path(one["Dir"])))
        at += len(told[at:]) - len(told[at:].lstrip())
    return found


def _definition(path: Path) -> Definition:
    """cert-manager's are templates of its chart: only labels and switches are, not what counts."""
    lines = [line for line in path.read_text().splitlines() if "{{" not in line]
    told = yaml.safe_load("\n".join(lines))
    keep = {key: told[key] for key in ("apiVersion", "kind", "spec")}
    return keep | {"metadata": {"name": told["metadata"]["name"]}}
