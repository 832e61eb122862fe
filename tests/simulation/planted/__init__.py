"""Bugs planted into the product, one at a time, to prove that the simulator sees them.

Each is a realistic mistake as a switch. Those that break nothing which the simulator judges are
left to a unit test, named in `catches`.
"""
