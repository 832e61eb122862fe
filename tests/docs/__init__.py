"""The documentation: what is generated of it, and whether all of it is true."""
