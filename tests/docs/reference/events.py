"""docs/reference/events.md: what is told as Kubernetes Events, and what the log says."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tests.docs.reference.tables import code, page, table

if TYPE_CHECKING:
    from collections.abc import Iterator

INTRO = """\
## Kubernetes Events

`kubectl get events -n NAMESPACE --field-selector source=node-slots` shows them, and `kubectl
describe` on what they are about. The leader writes them; the same news counts up in one Event. What
is not here is not worth one: grants and releases are in the log, the metrics and the Leases."""
LOG = """\
## The log

On stderr, one line an event: JSON for machines, or `--log-format console` for people. Each line has
`timestamp` (UTC), `level`, `event` and `logger`. `event` is one of these texts, with no value in
it, so it can be searched for. A line about a claim has `claim`, with the pool's `namespace` and the
`node`. Seconds are numbers. Neither tokens nor bodies are ever logged. One claim's story:

```
kubectl logs -n velero -l app.kubernetes.io/name=node-slots --tail=-1 |
  jq -c 'select(.claim == "7f3a")'
```

Libraries log in words of their own, each under its own `logger`."""
PLACE = "namespace, node"
CLAIM = f"{PLACE}, claim"
"""What every line has that is about a claim."""
GRANT = f"{CLAIM}, load, pod, lease, token, waited"

EVENTS = {
    "LimitsRefused": (
        "Warning",
        "ConfigMap",
        "its newest text was refused, and why; the last good limits stay in force",
    ),
    "HolderUnresponsive": (
        "Warning",
        "Lease, Pod",
        "a slot is kept for a silent holder whose Pod cannot be shown to have ended: look at it",
    ),
    "SlotReclaimed": (
        "Warning; Normal where the Pod has finished",
        "Lease, Pod",
        "the slot of a dead holder was taken back, and why",
    ),
    "SlotWaiting": (
        "Warning",
        "Pod",
        "its load has waited for a slot for `--long-wait`: at which place, and for whom",
    ),
    "MoverUngoverned": (
        "Warning",
        "Pod",
        "a data mover of Velero runs without the sidecar, so it takes no slot",
    ),
    "PrepareTimeoutNear": (
        "Warning",
        "Pod",
        "Velero is about to fail a mover that waits: three quarters of its timeout are over",
    ),
}
"""By reason: the type, what it is written on, what it tells. A test holds it to the code."""

LINES = {
    "granted": ("info", GRANT, "a free slot was given"),
    "handed over": (
        "info",
        f"{GRANT}, last, held, seconds",
        "a slot went from `last` to `claim`, `seconds` after it was given back",
    ),
    "freed": ("info", f"{CLAIM}, load, pod, lease, held", "a slot is free again"),
    "reclaim": (
        "warning, info where the Pod has finished",
        f"{CLAIM}, load, pod, lease, cause, reason",
        "the slot of a dead holder is being taken back",
    ),
    "holder looked at": (
        "info",
        f"{CLAIM}, pod, silent, verdict",
        "what a look at a holder's Pod showed; `silent`: its agent does not renew",
    ),
    "claim refused": (
        "info",
        f"{CLAIM}, pod, reason",
        "an agent named a Pod that it may not, or that does not run there",
    ),
    "release refused": (
        "warning",
        f"{CLAIM}, caller, owner",
        "an agent released what is another's; nothing was changed",
    ),
    "outcome unknown": (
        "warning",
        f"{CLAIM}, lease, write",
        "a write timed out or lost its connection; it is repeated until it is settled",
    ),
    "write refused": (
        "error",
        f"{CLAIM}, lease, write, error",
        "the API server refused a write: as a rule a missing right, which `error` names",
    ),
    "limit changed": (
        "info",
        f"{PLACE}, before, limit, rule",
        "a node in use has another limit, or another rule decides it",
    ),
    "more limits changed": (
        "info",
        "namespace, nodes",
        "so many nodes in use more, beyond the twenty named, have another limit by new rules",
    ),
    "config accepted": ("info", "namespace, version", "the ConfigMap's newest text is in force"),
    "config refused": ("error", "namespace, error", "it is not; the last good one rules"),
    "mover ungoverned": (
        "warning",
        f"{PLACE}, pod, kind, windows",
        "a data mover of Velero takes no slot",
    ),
    "prepare timeout near": (
        "warning",
        f"{CLAIM}, pod, kind, age, left, position, reason",
        "Velero is about to fail a mover that waits; `left` seconds",
    ),
    "API server did not answer": (
        "warning",
        "namespace, resource, error, retry_after",
        "a list, a watch or a read failed, and is tried again",
    ),
    "API server answers again": ("info", "namespace, resource", "it goes on"),
    "Event not written": ("warning", "error", "an Event could not be written"),
    "leading": ("info", "", "this replica leads"),
    "took over": (
        "info",
        "namespace, nodes, seconds",
        "the new leader knows who holds on every node; `seconds` since it asked",
    ),
    "following": ("info", "leader", "another one leads"),
    "nobody leads": ("warning", "", "no replica does"),
    "election request failed": ("warning", "error", "leadership cannot be taken or kept for now"),
    "election goes on": ("info", "", "its requests are answered again"),
    "leadership released": ("info", "", "this replica stops, and the next need not wait"),
    "token refused": ("info", "reason", "a caller's token is not accepted"),
    "access denied": ("info", "user, verb, about", "RBAC does not let a caller do that"),
    "callers are not authenticated": ("warning", "auth, detail", "`--auth none`"),
    "request": (
        "debug",
        f"{CLAIM}, id, method, path, status, seconds",
        "a request was answered; `id` is its X-Request-Id",
    ),
    "request failed": ("error", f"{CLAIM}, id, method, path", "a fault of ours, with a traceback"),
    "admission": ("debug", "namespace, result", "what the webhook made of a Pod"),
    "admission of an unreadable Pod": ("debug", "error", "it was let through without the sidecar"),
    "connections full": ("warning", "most, detail", "some are closed at once"),
    "open files limited": ("warning", "limit, wanted, detail", "fewer files than connections need"),
    "certificate served": ("info", "serial, until", "from now on this one"),
    "certificate lacks a name": ("warning", "wanted, names, detail", "agents will not accept it"),
    "certificates written": ("info", "secret, why", "new ones are in the Secret"),
    "certificates not renewed": ("warning", "secret, why, error", "the Secret cannot be written"),
    "certificates": ("error", "error, retry_after", "there is none to serve, or it cannot be read"),
    "certificates in order again": ("info", "", "after that"),
    "CA published": ("info", "namespace, into", "agents in that namespace can verify us"),
    "CA not published": ("error", "namespace, into, error, retry_after", "they may not be able to"),
    "listening": ("info", "api, health, version", "it serves"),
    "cannot start": ("error", "error", "what is missing, and what to do"),
    "failed": ("error", "", "a fault of ours, with its traceback"),
    "stopping": ("info", "signal, grace", "a signal came"),
    "stop cut short": ("warning", "grace, detail", "the grace was not enough"),
    "stopped": ("info", "", "the last line"),
}
"""By event: its level, its fields, when it is written. A test runs a busy coordinator by it."""


def text() -> str:
    """The whole page."""
    return page("Kubernetes Events and the log", "`tests/docs/reference/events.py`", _lines())


def _lines() -> Iterator[str]:
    yield from [*INTRO.splitlines(), ""]
    header = ["reason", "type", "on", "tells that"]
    yield from table(header, [(code(name), *rest) for name, rest in EVENTS.items()])
    yield from [*LOG.splitlines(), ""]
    header = ["event", "level", "fields", ""]
    yield from table(header, [(code(name), *rest) for name, rest in LINES.items()])
