"""The certificates between the API server and the kubelets."""

from __future__ import annotations

import datetime as dt
from typing import TYPE_CHECKING

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

if TYPE_CHECKING:
    from pathlib import Path

_DAY = dt.timedelta(days=1)


class KubeletClient:
    """Who may ask a kubelet for logs and `exec`: the API server, by this certificate."""

    def __init__(self, folder: Path) -> None:
        self.certificate = folder / "kubelet-client.crt"
        self.key = folder / "kubelet-client.key"
        key = ec.generate_private_key(ec.SECP256R1())
        name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "kube-apiserver")])
        now = dt.datetime.now(dt.UTC)
        # Signed by itself, and so the only one that its kubelets trust.
        signed = (
            x509.CertificateBuilder(name, name, key.public_key(), x509.random_serial_number())
            .not_valid_before(now - _DAY)
            .not_valid_after(now + _DAY)
            .add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
            .sign(key, hashes.SHA256())
        )
        pem = serialization.Encoding.PEM
        plain = (serialization.PrivateFormat.TraditionalOpenSSL, serialization.NoEncryption())
        self.certificate.write_bytes(signed.public_bytes(pem))
        self.key.write_bytes(key.private_bytes(pem, *plain))
