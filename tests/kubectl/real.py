"""People with the plugin on the real API server: accounts, their kubeconfigs, and what they run."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from tests.e2e import people
from tests.e2e.people import on_leases
from tests.e2e.waiting import DEADLINE
from tests.kubectl.stand import Result, run_plugin

if TYPE_CHECKING:
    from pathlib import Path

    from tests.e2e.cluster import Cluster
    from tests.e2e.processes import Site

NOWHERE = "https://127.0.0.1:1"
"""Where no coordinator answers."""

Rule = dict[str, Any]
ON_NODES: Rule = {"apiGroups": [""], "resources": ["nodes"], "verbs": ["list", "patch"]}
ON_LIMITS: Rule = {"apiGroups": [""], "resources": ["configmaps"], "verbs": ["get"]}


@dataclass(frozen=True)
class Person:
    """Somebody with a kubeconfig, who runs the plugin."""

    site: Site
    kubeconfig: Path
    token: str

    def __call__(self, *words: str, server: str = "", stdin: str = "") -> Result:
        """`kubectl node-slots WORDS`, by the site's coordinator or the one named."""
        where = ["--kubeconfig", str(self.kubeconfig), "-n", self.site.cluster.namespace]
        where += ["--ca-file", str(self.site.mount.file), "--server", server or self.site.url]
        where += ["--timeout", f"{DEADLINE:g}"]
        told = run_plugin([*words, *where], stdin)
        assert self.token not in told.out + told.err
        return told


def person(site: Site, name: str, *rules: Rule, everywhere: tuple[Rule, ...] = ()) -> Person:
    """A new account with these rights in the pool's namespace, and `everywhere`."""
    cluster = site.cluster
    token = people.person(cluster, name, *rules)
    if everywhere:
        people._grant(cluster, name, everywhere, everywhere=True)
    return Person(site, _kubeconfig(cluster, site.folder / f"{name}.kubeconfig", token), token)


def operator(site: Site) -> Person:
    """Who may do everything that the plugin does."""
    rules = (on_leases("get", "list", "delete"), ON_LIMITS)
    return person(site, "operator", *rules, everywhere=(ON_NODES,))


def _kubeconfig(cluster: Cluster, path: Path, token: str) -> Path:
    config = json.loads(cluster.server.kubeconfig.read_text())
    config["users"][0]["user"] = {"token": token}
    path.write_text(json.dumps(config))
    return path
