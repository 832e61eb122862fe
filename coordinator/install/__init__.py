"""The objects that the coordinator is installed with: `deploy/`, under a name of one's own.

`deploy/base` and `deploy/components` are the only truth; a wheel carries copies of these files.
"""

from coordinator.install.objects import objects
from coordinator.install.options import Options, OptionsError

__all__ = ["Options", "OptionsError", "objects"]
