"""The sidecar that is put into Velero's mover Pods: one source, three ways to put it there."""
