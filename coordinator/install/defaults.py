"""The names in the files of `deploy/`."""

NAME = "node-slots"
NAMESPACE = "velero"
IMAGE = "node-slots:0.1.0"
