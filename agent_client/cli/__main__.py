"""`python -m agent_client.cli`."""

import sys

from agent_client.cli.main import main

sys.exit(main())
