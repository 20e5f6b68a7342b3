"""Starts the function as Lambda does, beside peers: a cold start, then warm calls."""
