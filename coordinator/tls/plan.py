"""What has to be made, decided from what is stored and the time. Pure.

A serving certificate lives 90 days and is renewed after two thirds of them. An authority lives ten
years. In its last year, or when its key is lost, a successor is made: agents get it beside the old
one, and only a day later it signs. So nobody is ever shown a certificate that it cannot believe.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import timedelta
from typing import TYPE_CHECKING, Literal

from coordinator.tls.making import Pair, made_at, make_authority, make_serving
from coordinator.tls.names import names_in
from coordinator.tls.stored import Stored, signed_by

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import datetime

    from cryptography import x509

SUCCESSION = timedelta(days=365)
"""An authority that ends sooner gets a successor."""
SPREAD = timedelta(days=1)
"""From the making of a successor to its first signature: the kubelet brings the new bundle to
mounted ConfigMaps within two minutes, and somebody may have to repair what keeps it away."""
LAST_CALL = timedelta(days=30)
"""An authority that ends sooner is succeeded even if not every ConfigMap has the successor."""


@dataclass(frozen=True, slots=True)
class Plan:
    """What to make; each part of it has its reason in `why`.

    `urgent`: without it nothing can be served, so whoever finds it does it. All else is the
    leader's.
    """

    authority: Literal["keep", "make", "succeed"] = "keep"
    successor: bool = False
    serving: bool = False
    forget: bool = False
    urgent: bool = False
    why: tuple[str, ...] = ()

    def __bool__(self) -> bool:
        return bool(self.why)


def plan(stored: Stored, names: Sequence[str], now: datetime, *, published: bool = True) -> Plan:
    """What to make. `published`: whether every ConfigMap is known to have the present bundle."""
    broken = _broken(stored, now)
    authority, why = _authority(stored, now, published=published, needed=bool(broken))
    successor = authority == "keep" and _wants_successor(stored, now)
    due = broken or _due(stored, names, now)
    serving = authority != "keep" or bool(due and stored.authority)
    forget = authority == "keep" and not serving and _may_forget(stored, now)
    reasons = [
        why,
        due if serving and authority == "keep" else "",
        "the authority needs a successor" if successor else "",
        "nothing needs the authorities before this one" if forget else "",
    ]
    return Plan(
        authority=authority,
        successor=successor,
        serving=serving,
        forget=forget,
        urgent=bool(broken),
        why=tuple(reason for reason in reasons if reason),
    )


def carry_out(wanted: Plan, stored: Stored, names: Sequence[str], now: datetime) -> Stored:
    """What is to be stored next. Makes new keys."""
    authority, believed, successor = stored.authority, stored.authorities, stored.successor
    if wanted.authority == "succeed" and successor:
        authority, successor = successor, None
    elif wanted.authority != "keep":
        authority = make_authority(now)
    if wanted.authority != "keep" and authority:
        believed = (authority.certificate, *(one for one in believed if _valid(one, now)))
    if wanted.forget:
        believed = believed[:1]
    if wanted.successor:
        successor = make_authority(now)
    serving = stored.serving
    if wanted.serving and authority:
        serving = make_serving(authority, names, now)
    return replace(
        stored,
        serving=serving,
        authorities=believed,
        authority=authority,
        successor=successor,
        faults=(),
    )


def _broken(stored: Stored, now: datetime) -> str:
    """Why the serving certificate cannot be served; "" when it can."""
    if stored.serving is None:
        return "; ".join(stored.faults) or "there is no certificate yet"
    certificate = stored.serving.certificate
    if not _valid(certificate, now):
        return "the certificate has expired"
    believed = [one for one in stored.authorities if _valid(one, now)]
    if not any(signed_by(certificate, one) for one in believed):
        return "no authority that agents believe has signed the certificate"
    return ""


def _due(stored: Stored, names: Sequence[str], now: datetime) -> str:
    """Why a good certificate is to be renewed; "" while it is not."""
    if stored.serving is None:
        return ""
    certificate = stored.serving.certificate
    made, end = made_at(certificate), certificate.not_valid_after_utc
    if now >= made + (end - made) * 2 / 3:
        return "two thirds of the certificate's life are over"
    missing = [name for name in names if name not in names_in(certificate)]
    return f"the certificate is not for {', '.join(missing)}" if missing else ""


def _authority(
    stored: Stored, now: datetime, *, published: bool, needed: bool
) -> tuple[Literal["keep", "make", "succeed"], str]:
    """What becomes of the authority; `needed`: it has to sign now."""
    first = stored.authorities[0] if stored.authorities else None
    ready = stored.successor is not None and _valid(stored.successor.certificate, now)
    if first is None or not _valid(first, now) or (needed and not stored.authority):
        why = "no authority can sign" if stored.authorities else "there is no certificate yet"
        return ("succeed", f"{why}: its successor does") if ready else ("make", why)
    if not (ready and _ends(stored, first, now)):
        return "keep", ""
    last_call = now >= first.not_valid_after_utc - LAST_CALL
    if last_call or (published and _spread(stored.successor, now)):
        return "succeed", "the successor takes over from the authority"
    return "keep", ""


def _ends(stored: Stored, first: x509.Certificate, now: datetime) -> bool:
    return stored.authority is None or now >= first.not_valid_after_utc - SUCCESSION


def _wants_successor(stored: Stored, now: datetime) -> bool:
    if not stored.authorities or not _ends(stored, stored.authorities[0], now):
        return False
    return stored.successor is None or not _valid(stored.successor.certificate, now)


def _spread(successor: Pair | None, now: datetime) -> bool:
    return successor is not None and now >= made_at(successor.certificate) + SPREAD


def _may_forget(stored: Stored, now: datetime) -> bool:
    """Earlier authorities are believed for a day more: replicas may still serve what they signed.

    One without a key is the first one's business: it is succeeded, not forgotten.
    """
    if len(stored.authorities) < 2 or stored.serving is None:
        return False
    certificate = stored.serving.certificate
    return now >= made_at(certificate) + SPREAD and signed_by(certificate, stored.authorities[0])


def _valid(certificate: x509.Certificate, now: datetime) -> bool:
    """Whether it has not ended. One from the future is kept: it is a clock that is wrong."""
    return now < certificate.not_valid_after_utc
