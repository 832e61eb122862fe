"""Other ways to pass one place from its holder to the next, each measured as node-slots is."""
