"""The whole system in one process, on virtual time, with one seed that decides everything.

loop       virtual time, and processes that can be paused and killed
plan       what a seed tries: its size and its faults (swarm testing)
world      one seed from start to end: `run_seed(seed, plant=...)`
api        the API server as coordinators meet it: fates, verbs, streams
net        between agents and replicas
replicas   coordinators' processes; answering: what their API answers
loads      loads and callers: agents (the real client), scripts (single claims)
troubles   what happens meanwhile, by hands and pods; healing: the end of all troubles
watcher    tells everything that happens to the judges in `judge`
runner     many seeds in batches; `python -m tests.simulation --help`
"""
