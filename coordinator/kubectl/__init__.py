"""`kubectl node-slots`: who has a node's slots, who waits and why, from a terminal."""
