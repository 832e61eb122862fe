"""Which Debian packages the tiers on real nodes unpack; `tests.tools.debian` does it."""

from __future__ import annotations

RUNTIME = ("containerd", "runc", "libseccomp2")
"""What runs the containers."""
NETWORK = ("containernetworking-plugins",)
"""What gives Pods addresses of their own."""
USERLAND = (
    # What gcr.io/distroless/python3-debian12, the base of deploy/Dockerfile, is made of.
    *("base-files", "netbase", "tzdata", "libc6", "libgcc-s1", "libgomp1", "libstdc++6", "libssl3"),
    *("libbz2-1.0", "libdb5.3", "libexpat1", "liblzma5", "libsqlite3-0", "libuuid1", "zlib1g"),
    *("libncursesw6", "libtinfo6", "libcom-err2", "libcrypt1", "libgssapi-krb5-2", "libk5crypto3"),
    *("libkeyutils1", "libkrb5-3", "libkrb5support0", "libnsl2", "libreadline8", "libtirpc3"),
    *("libffi8", "libpython3.11-minimal", "libpython3.11-stdlib", "python3.11-minimal"),
)
