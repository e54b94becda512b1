"""A simulated fleet with scripted attackers: it writes its truth as it acts, and the pipeline is held against it.

Nothing here parses a log or imports from archive/, events/ or framing/: the comparison would prove nothing then.
"""
