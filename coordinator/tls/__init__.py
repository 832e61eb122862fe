"""Certificates: made and renewed in a Secret, or read from a folder; and the TLS made of them."""
