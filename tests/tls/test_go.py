"""Go believes the certificates: most clients in a cluster are written in it."""

from __future__ import annotations

import subprocess
from typing import TYPE_CHECKING

import pytest

from tests.realserver import toolchain
from tests.tls.test_making import NAMES, material

if TYPE_CHECKING:
    from pathlib import Path

PROGRAM = """package main

import (
	"crypto/tls"
	"crypto/x509"
	"fmt"
	"os"
)

func must[T any](value T, err error) T {
	if err != nil {
		panic(err)
	}
	return value
}

func main() {
	pair := must(tls.LoadX509KeyPair("crt", "key"))
	leaf := must(x509.ParseCertificate(pair.Certificate[0]))
	roots := x509.NewCertPool()
	roots.AppendCertsFromPEM(must(os.ReadFile("ca")))
	for _, name := range os.Args[1:] {
		must(leaf.Verify(x509.VerifyOptions{DNSName: name, Roots: roots}))
	}
	fmt.Println("believed")
}
"""


@pytest.mark.slow
def test_go_believes_it_for_each_name(tmp_path: Path) -> None:
    go = toolchain.find_go()
    if go is None:
        pytest.skip("no Go toolchain")
    made = material()
    (tmp_path / "main.go").write_text(PROGRAM)
    for name, text in (("crt", made.chain), ("key", made.key), ("ca", made.bundle or b"")):
        (tmp_path / name).write_bytes(text)
    names = [f"[{name}]" if ":" in name else name for name in NAMES]
    ran = subprocess.run(
        [str(go), "run", "main.go", *names],
        cwd=tmp_path,
        env=toolchain.environment(),
        capture_output=True,
        text=True,
        check=False,
        timeout=290,
    )
    assert ran.stdout == "believed\n", ran.stderr
