"""An emulated Kubernetes API server for the demo and the tests."""
