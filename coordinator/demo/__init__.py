"""`slot-coordinator demo`: the main job, start to end, on the embedded API server.

What runs is real: the coordinator and every agent are processes of their own that speak HTTP, as
on a cluster. Only the API server is emulated. What is shown comes from the coordinator's status
calls, and what is judged from a journal that the loads themselves write.
"""

from coordinator.demo.cli import add_parser

__all__ = ["add_parser"]
