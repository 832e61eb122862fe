"""`slot-agent run`: a command under a slot. `run` is where to begin reading."""
