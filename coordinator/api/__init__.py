"""The REST edge: schemas, handlers, problems, health."""
