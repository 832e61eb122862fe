"""`slot-agent sidecar`: slots for the neighbours in a Pod, over a local HTTP API."""
