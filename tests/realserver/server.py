"""A real kube-apiserver with its etcd, on loopback, for as long as a test wants it.

No controllers run: nothing makes default ServiceAccounts, finalizes namespaces or collects garbage.
"""

from __future__ import annotations

import json
import secrets
import shutil
import ssl
import tempfile
import time
import urllib.error
import urllib.request
from pathlib import Path
from typing import TYPE_CHECKING, Any, Self

from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec

from tests.realserver.process import Process, free_port

if TYPE_CHECKING:
    from collections.abc import Sequence

    from tests.realserver.binaries import Binaries

READY_SECONDS = 90.0
WITHOUT_CONTROLLERS = ("--disable-admission-plugins=ServiceAccount",)
"""Nothing makes default ServiceAccounts here; with that plugin no Pod could be created."""
_STARTS = 3


class ServerError(Exception):
    """etcd or kube-apiserver did not start; the text ends with its last lines of output."""


class RealApiServer:
    """etcd and kube-apiserver over one folder of data; stopped and started again they continue.

    Use it as a context manager, or call `start` and, whatever happens, `close`.
    """

    def __init__(
        self,
        binaries: Binaries,
        flags: Sequence[str] = WITHOUT_CONTROLLERS,
        users: Sequence[str] = (),
    ) -> None:
        """`flags` are more flags of kube-apiserver, `users` more lines of its token file."""
        self.binaries = binaries
        self._flags = flags
        self._users = users
        self._folder = Path(tempfile.mkdtemp(prefix="nodeslots-real-"))
        self.token = secrets.token_hex(16)
        self._port = 0
        self._etcd_port = 0
        self._has_started = False
        self.etcd: Process | None = None
        """etcd while it runs, to be frozen likewise."""
        self.process: Process | None = None
        """kube-apiserver while it runs: `.send(signal.SIGSTOP)` freezes it."""
        self._write_secrets()

    def __enter__(self) -> Self:
        try:
            self.start()
        except BaseException:
            self.close()
            raise
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    @property
    def url(self) -> str:
        return f"https://127.0.0.1:{self._port}"

    @property
    def etcd_url(self) -> str:
        return f"http://127.0.0.1:{self._etcd_port}"

    @property
    def ca_file(self) -> Path:
        """What `url` is verified with: the certificate that kube-apiserver made for itself."""
        return self._folder / "certs" / "apiserver.crt"

    @property
    def signing_key(self) -> Path:
        """The private key under every service account's token, for one that no request gives."""
        return self._folder / "service-accounts.key"

    @property
    def kubeconfig(self) -> Path:
        """A file for the admin (group system:masters)."""
        return self._folder / "kubeconfig"

    def start(self) -> None:
        """Starts both, on the ports of the first start, and returns when `/readyz` says ok.

        Raises ServerError after 90 s, or when one of them ends.
        """
        for tries_left in reversed(range(_STARTS)):
            try:
                self._start_once()
                break
            except ServerError:
                self.stop()
                # Somebody may have taken a port between its choice and the start; once they have
                # been told to others, the ports stay.
                if self._has_started or not tries_left:
                    raise
        self._has_started = True

    def _start_once(self) -> None:
        if not self._has_started:
            self._port, self._etcd_port = free_port(), free_port()
            self._write_kubeconfig()
        self._start_etcd()
        self._start_apiserver()
        self._wait_ready()

    def stop(self, grace_seconds: float = 0.0) -> None:
        """Ends both; without grace by SIGKILL, as a machine that lost its power."""
        self.stop_apiserver(grace_seconds)
        if self.etcd is not None:
            self.etcd.end(grace_seconds)
            self.etcd = None

    def stop_apiserver(self, grace_seconds: float = 0.0) -> None:
        """Ends kube-apiserver alone; `start` brings it back."""
        if self.process is not None:
            self.process.end(grace_seconds)
            self.process = None

    def close(self) -> None:
        """Ends both and removes their data. Idempotent."""
        self.stop()
        shutil.rmtree(self._folder, ignore_errors=True)

    def compact(self) -> int:
        """Makes etcd forget every revision before now, and says which that is.

        A watch from an older resourceVersion that the API server's own cache no longer covers is
        answered with 410 from here on.
        """
        revision = int(self._etcd_call("/v3/kv/range", {"key": "AA=="})["header"]["revision"])
        self._etcd_call("/v3/kv/compaction", {"revision": str(revision), "physical": True})
        return revision

    def _etcd_call(self, path: str, body: dict[str, Any]) -> Any:
        request = urllib.request.Request(self.etcd_url + path, json.dumps(body).encode())
        with urllib.request.urlopen(request, timeout=READY_SECONDS) as answer:
            return json.load(answer)

    def _write_secrets(self) -> None:
        users = (f'{self.token},admin,admin,"system:masters"', *self._users)
        (self._folder / "tokens.csv").write_text("".join(f"{user}\n" for user in users))
        key = ec.generate_private_key(ec.SECP256R1())
        pem = key.private_bytes(
            serialization.Encoding.PEM,
            serialization.PrivateFormat.TraditionalOpenSSL,
            serialization.NoEncryption(),
        )
        self.signing_key.write_bytes(pem)

    def _start_etcd(self) -> None:
        if self.etcd is not None and self.etcd.is_running():
            return
        self.etcd = Process(
            [
                str(self.binaries.etcd),
                f"--data-dir={self._folder / 'etcd'}",
                f"--listen-client-urls={self.etcd_url}",
                f"--advertise-client-urls={self.etcd_url}",
                "--listen-peer-urls=http://127.0.0.1:0",
                "--unsafe-no-fsync",
                "--log-level=error",
            ],
            self._folder / "etcd.log",
        )

    def _start_apiserver(self) -> None:
        self.process = Process(
            [
                str(self.binaries.kube_apiserver),
                f"--etcd-servers={self.etcd_url}",
                "--bind-address=127.0.0.1",
                "--advertise-address=127.0.0.1",
                f"--secure-port={self._port}",
                # The address of a loopback server is none for the Service `kubernetes`.
                "--endpoint-reconciler-type=none",
                f"--cert-dir={self._folder / 'certs'}",
                f"--token-auth-file={self._folder / 'tokens.csv'}",
                "--authorization-mode=Node,RBAC",
                "--service-account-issuer=https://kubernetes.default.svc",
                f"--service-account-key-file={self.signing_key}",
                f"--service-account-signing-key-file={self.signing_key}",
                "--service-cluster-ip-range=10.0.0.0/24",
                "--profiling=false",
                *self._flags,
            ],
            self._folder / "kube-apiserver.log",
        )

    def _wait_ready(self) -> None:
        deadline = time.monotonic() + READY_SECONDS
        while not self._is_ready():
            for process in (self.etcd, self.process):
                if process is None or not process.is_running():
                    raise ServerError(f"ended at its start: {self._last_words()}")
            if time.monotonic() > deadline:
                raise ServerError(f"not ready after {READY_SECONDS:.0f} s: {self._last_words()}")
            time.sleep(0.1)

    def _is_ready(self) -> bool:
        request = urllib.request.Request(
            f"{self.url}/readyz", headers={"Authorization": f"Bearer {self.token}"}
        )
        try:
            context = ssl.create_default_context(cafile=self.ca_file)
            with urllib.request.urlopen(request, timeout=5, context=context) as answer:
                return bool(answer.status == 200)
        except (OSError, urllib.error.URLError):
            return False

    def _last_words(self) -> str:
        return "\n".join(
            f"--- {process.name}\n{process.last_words()}"
            for process in (self.etcd, self.process)
            if process is not None
        )

    def _write_kubeconfig(self) -> None:
        self.kubeconfig.write_text(self.config_of(self.token))

    def config_of(self, token: str) -> str:
        """The text of a kubeconfig for whoever has this token."""
        cluster = {"server": self.url, "certificate-authority": str(self.ca_file)}
        config = {
            "apiVersion": "v1",
            "kind": "Config",
            "current-context": "real",
            "contexts": [{"name": "real", "context": {"cluster": "real", "user": "user"}}],
            "users": [{"name": "user", "user": {"token": token}}],
            "clusters": [{"name": "real", "cluster": cluster}],
        }
        return json.dumps(config, indent=2)
