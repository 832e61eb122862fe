"""`slot-coordinator observe`: what runs and waits on each node, seen without touching anything."""
