"""The promises as an independent model: it watches messages and commits, never the tables."""
