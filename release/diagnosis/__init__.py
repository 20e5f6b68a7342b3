"""Why a function does not work: facts are gathered, and rules make causes of them.

Gathering asks AWS and never judges; rules judge and ask nobody, so each of the two is tested alone.
"""
