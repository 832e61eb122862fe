"""`python -m tests.injection.render`: writes the three ready-made files of `deploy/velero`.

They are what `coordinator.injection` makes of `sidecar.yaml` for Velero in the namespace `velero`.
"""

from __future__ import annotations

from pathlib import Path

from coordinator.injection import kyverno, policy, webhook
from coordinator.install.defaults import NAME, NAMESPACE
from coordinator.install.text import rendered
from tests.injection.judge import a_sidecar

FOLDER = Path(__file__).parents[2] / "deploy" / "velero"
_MADE = """\
Written by `python -m tests.injection.render` from sidecar.yaml: change that. For another namespace,
image or URL take `slot-coordinator velero install --print --injection {}`."""
_POLICY = f"""\
Puts slot-agent into Velero's data mover Pods, on the API server itself: nothing of ours has to run
for that. Kubernetes 1.36 or newer (`kubectl api-resources | grep -i mutatingadmissionpolic`).

  kubectl apply --server-side -f deploy/velero/mutating-admission-policy.yaml

In force a second or two later, for movers that are made from then on. The coordinator has to be
there: without it they wait for ten minutes each, and start without a slot.

{_MADE.format("policy")}"""
_WEBHOOK = f"""\
Puts slot-agent into Velero's data mover Pods, for Kubernetes 1.29 to 1.35: the API server asks the
coordinator, which has to be started with --inject-image. `slot-coordinator velero install --print
--injection webhook` prints all that belongs together; by hand:

  kubectl apply --server-side -f deploy/velero/webhook-rights.yaml \\
    -f deploy/velero/mutating-webhook.yaml

The coordinator writes the authority of its certificate into caBundle. When it does not answer, the
mover is made without the sidecar, runs without a slot, and is counted (failurePolicy Ignore).

{_MADE.format("webhook")}"""
_KYVERNO = f"""\
Puts slot-agent into Velero's data mover Pods, where Kyverno 1.18 or newer is there already: see
`kubectl get crd mutatingpolicies.policies.kyverno.io` (an older one may have the kind as v1beta1).
The patch is that of mutating-admission-policy.yaml. Tried with the command line of Kyverno 1.19 and
against its definitions, not with its controllers in a cluster.

  kubectl apply --server-side -f deploy/velero/kyverno-policy.yaml

{_MADE.format("kyverno")}"""


def texts() -> dict[str, str]:
    """What each file should say, by its name."""
    sidecar = a_sidecar(NAMESPACE)
    made = {
        "mutating-admission-policy.yaml": (_POLICY, policy(sidecar, NAMESPACE)),
        "mutating-webhook.yaml": (_WEBHOOK, webhook(NAMESPACE, NAME)),
        "kyverno-policy.yaml": (_KYVERNO, kyverno(sidecar, NAMESPACE)),
    }
    return {name: rendered(told.splitlines(), found) for name, (told, found) in made.items()}


if __name__ == "__main__":
    for name, text in texts().items():
        (FOLDER / name).write_text(text)
