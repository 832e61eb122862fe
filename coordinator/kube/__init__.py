"""The API server: client, errors, reflector, lease store."""
