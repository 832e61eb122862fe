"""`slot-agent hold`: a slot for the Pod that it runs in, without a change to the load.

It costs little while it waits, for hundreds may wait on one node: one connection, one thread, no
asyncio, and TLS only where the coordinator's URL asks for it.
"""
