"""The pre-traffic hook: a function of its own, which tests a new version before it gets traffic."""
