"""The diagnosis of a function that does not work: facts are gathered, and rules find causes.

Gathering reads AWS and never judges; rules judge and read nothing, so each is tested alone.
"""
