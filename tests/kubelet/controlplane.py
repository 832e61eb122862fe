"""The API server with what turns its objects into running Pods: controllers and a scheduler."""

from __future__ import annotations

import secrets
from contextlib import ExitStack
from typing import TYPE_CHECKING, Self

from tests.e2e.waiting import until
from tests.e2e.wire import Http
from tests.kubelet.keys import KubeletClient
from tests.realserver.process import Process, free_port
from tests.realserver.server import RealApiServer

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from tests.realserver.binaries import Binaries


class ControlPlane:
    """All of it but the nodes, which are to be named beforehand. A context manager."""

    def __init__(
        self, binaries: Binaries, programs: Path, folder: Path, nodes: Sequence[str]
    ) -> None:
        self.programs = programs
        """The folder of kubelet, kube-controller-manager, kube-scheduler and kubectl."""
        self.kubelet_client = KubeletClient(folder)
        self._folder = folder
        self._tokens = {node: secrets.token_hex(16) for node in nodes}
        flags = [
            "--enable-admission-plugins=NodeRestriction",
            f"--kubelet-client-certificate={self.kubelet_client.certificate}",
            f"--kubelet-client-key={self.kubelet_client.key}",
        ]
        users = [
            f'{token},system:node:{node},{node},"system:nodes"'
            for node, token in self._tokens.items()
        ]
        self.server = RealApiServer(binaries, flags, users)
        self._ends = ExitStack()

    def __enter__(self) -> Self:
        with ExitStack() as stack:
            stack.enter_context(self.server)
            self._start(stack, "kube-controller-manager", *self._controllers())
            self._start(stack, "kube-scheduler", "--leader-elect=false", "--secure-port=0")
            self._ends = stack.pop_all()
        return self

    def __exit__(self, *_: object) -> None:
        self._ends.close()

    @property
    def api(self) -> Http:
        """The API server by its administrator."""
        return Http(self.server.url, self.server.token, self.server.ca_file)

    def kubelet_config(self, node: str) -> str:
        """The kubeconfig of that node's kubelet: it may do what the node authorizer lets it."""
        return self.server.config_of(self._tokens[node])

    def add_namespace(self, name: str) -> None:
        """Returns when Pods can be made there."""
        made = self.api.post("/api/v1/namespaces", {"metadata": {"name": name}})
        assert made.status == 201, made.raw
        account = f"/api/v1/namespaces/{name}/serviceaccounts/default"
        until(lambda: self.api.get(account).status == 200, f"{name} has its ServiceAccount")

    def _start(self, stack: ExitStack, program: str, *flags: str) -> None:
        command = [str(self.programs / program), f"--kubeconfig={self.server.kubeconfig}", *flags]
        stack.callback(Process(command, self._folder / f"{program}.log").end)

    def _controllers(self) -> list[str]:
        return [
            "--leader-elect=false",
            "--bind-address=127.0.0.1",
            f"--secure-port={free_port()}",
            f"--root-ca-file={self.server.ca_file}",
            f"--service-account-private-key-file={self.server.signing_key}",
            f"--cert-dir={self._folder}",
        ]
