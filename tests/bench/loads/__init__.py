"""Load generators, each a process of its own: a JSON object in, a JSON object of figures out."""
