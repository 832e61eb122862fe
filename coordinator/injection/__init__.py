"""The sidecar that is put into Velero's mover Pods: one source, three ways to put it there.

`deploy/velero/sidecar.yaml` is the source. `operations` says what becomes of one Pod; the policies
say the same to the API server, and to Kyverno, in CEL.
"""

from coordinator.injection.operations import operations
from coordinator.injection.policies import kyverno, policy
from coordinator.injection.sidecar import Sidecar
from coordinator.injection.webhook import webhook

__all__ = ["Sidecar", "kyverno", "operations", "policy", "webhook"]
