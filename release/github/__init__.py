"""GitHub's REST API, as far as the pipeline writes with it."""
