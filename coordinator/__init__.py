"""The node-slots coordinator: resolves limits and hands out slots as Leases."""
