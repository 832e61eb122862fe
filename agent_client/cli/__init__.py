"""The command line `slot-agent`."""
