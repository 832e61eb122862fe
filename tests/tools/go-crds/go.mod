// Where the definitions of kinds come from that Kubernetes does not know by itself. Nothing is built.
module nodeslots.io/tools/crds

go 1.26.0

require (
	github.com/cert-manager/cert-manager v1.21.2
	github.com/kyverno/kyverno v1.19.1
	github.com/prometheus-operator/prometheus-operator v0.85.0
)
