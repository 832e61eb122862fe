"""Velero beside node-slots: what can be seen of it, whether it is ready, and how it is governed."""
