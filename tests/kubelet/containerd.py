"""containerd as a node needs it: all that it keeps in one folder, nothing of the machine's."""

from __future__ import annotations

import json
import subprocess
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from tests.e2e.waiting import until

if TYPE_CHECKING:
    from pathlib import Path

PAUSE_IMAGE = "localhost/pause:1"

# restrict_oom_score_adj: a root without CAP_SYS_RESOURCE may not lower the score, and no sandbox
# would start. The rest of the second group is what a small kernel may lack.
_CONFIGURATION = """\
version = 2
root = "{folder}/root"
state = "{folder}/state"
[grpc]
  address = "{folder}/containerd.sock"
[ttrpc]
  address = "{folder}/containerd.ttrpc.sock"
[plugins."io.containerd.internal.v1.opt"]
  path = "{folder}/opt"
[plugins."io.containerd.grpc.v1.cri"]
  sandbox_image = "{pause}"
  restrict_oom_score_adj = true
  disable_apparmor = true
  tolerate_missing_hugetlb_controller = true
  [plugins."io.containerd.grpc.v1.cri".cni]
    conf_dir = "{folder}/cni"
    bin_dir = "{plugins}"
  [plugins."io.containerd.grpc.v1.cri".containerd]
    default_runtime_name = "runc"
    [plugins."io.containerd.grpc.v1.cri".containerd.runtimes.runc]
      runtime_type = "io.containerd.runc.v2"
      [plugins."io.containerd.grpc.v1.cri".containerd.runtimes.runc.options]
        SystemdCgroup = false
        BinaryName = "{runc}"
"""


@dataclass(frozen=True)
class PodNetwork:
    """Pods have addresses of their own, and reach each other and this machine's addresses."""

    plugins: Path
    """The folder of ptp, host-local and loopback."""
    addresses: str
    """The range that Pods get theirs from."""


class Containerd:
    """Its files, and what is asked of it; `node.Node` runs it."""

    def __init__(self, folder: Path, system: Path, network: PodNetwork | None = None) -> None:
        """Without a network only Pods on the machine's own can run."""
        self.socket = folder / "containerd.sock"
        self._program = system / "usr" / "bin" / "containerd"
        self._ctr = system / "usr" / "bin" / "ctr"
        self._configuration = folder / "containerd.toml"
        runc = system / "usr" / "sbin" / "runc"
        cni = folder / "cni"
        plugins = network.plugins if network else cni
        text = _CONFIGURATION.format(folder=folder, pause=PAUSE_IMAGE, runc=runc, plugins=plugins)
        self._configuration.write_text(text)
        cni.mkdir()
        listed = {"cniVersion": "0.4.0", "name": "pods", "plugins": [_plugin(network)]}
        (cni / "10-pods.conflist").write_text(json.dumps(listed))

    @property
    def command(self) -> list[str]:
        return [str(self._program), "--config", str(self._configuration)]

    def wait(self) -> None:
        until(lambda: self.asked("version").returncode == 0, "containerd answers")

    def load(self, archive: Path) -> None:
        """Takes in an image."""
        done = self.asked("images", "import", str(archive))
        assert done.returncode == 0, done.stderr

    def asking(self, *words: str) -> list[str]:
        """The command line of `ctr` that asks it."""
        return [str(self._ctr), "--address", str(self.socket), "--namespace", "k8s.io", *words]

    def asked(self, *words: str) -> subprocess.CompletedProcess[str]:
        """What `ctr` says; its exit code may be any."""
        return subprocess.run(self.asking(*words), check=False, capture_output=True, text=True)


def _plugin(network: PodNetwork | None) -> dict[str, Any]:
    """A node is Ready only with a network; Pods on the machine's own never ask for it."""
    if network is None:
        return {"type": "loopback"}
    everywhere = [{"dst": "0.0.0.0/0"}]
    addresses = {"type": "host-local", "subnet": network.addresses, "routes": everywhere}
    return {"type": "ptp", "ipMasq": False, "ipam": addresses}
