"""Measures what the documents claim, beside peers in the same run: ``make bench``."""
